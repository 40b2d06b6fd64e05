"""What the gate says of a plan: its shape, its waves, and why two tasks are not independent."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

GateProgress = Callable[[str, int, int], None]
"""Called with what is being looked at, how much of it is done, and how much there is."""


def unseen(what: str, done: int, total: int) -> None:
    """Do nothing: the caller wants no progress."""


class GateMode(StrEnum):
    """What a run does with the gate's judgement."""

    STRICT = "strict"  # coupled tasks that would run side by side keep the run from starting
    ADVISE = "advise"  # coupled tasks are put in sequence
    OFF = "off"  # no judgement is made


class PairVerdict(StrEnum):
    """How two tasks stand to each other; they compare by `rank`, worst last."""

    INDEPENDENT = "independent"  # both say what they write, and nothing speaks against it
    UNKNOWN = "unknown"  # at least one does not say what it writes, and nothing else is known
    MAYBE = "maybe"  # they may run side by side, and may conflict
    COUPLED = "coupled"  # they are to run one after the other

    @property
    def rank(self) -> int:
        return list(PairVerdict).index(self)


class Shape(StrEnum):
    """The shape that the work has."""

    WIDE = "wide"  # all tasks side by side
    WAVES = "waves"  # wide, in several waves
    DEEP = "deep"  # one piece of work: one session


class EvidenceKind(StrEnum):
    """What a piece of evidence was found in."""

    SENTENCE = "sentence"  # what a task says that it produces
    PATHS = "paths"  # what both declare to write
    PAST = "past"  # how neighbouring changes to a path have met in the history
    MECHANICAL = "mechanical"  # paths whose conflicts a union merge or a regeneration resolves
    PREDICTED = "predicted"  # what an undeclared task will probably write
    REFERENCE = "reference"  # one text names the other task, or what it makes
    RESOURCE = "resource"  # what two sessions cannot both have, or both extend
    OPINION = "opinion"  # what an agent said when it was asked


@dataclass(frozen=True)
class GateEvidence:
    """One reason, in a sentence for a person.

    `demands` is the least verdict that it asks for. `probability` is that of a conflict in the text
    of `paths`, None where the evidence is of another kind.
    """

    kind: EvidenceKind
    words: str
    paths: tuple[str, ...] = ()
    probability: float | None = None
    demands: PairVerdict = PairVerdict.INDEPENDENT


@dataclass(frozen=True)
class PredictedPath:
    """A path that a task will write with this probability, as far as the history tells."""

    path: str
    probability: float


@dataclass(frozen=True)
class PairJudgement:
    """Two tasks, in the plan's order, and how they stand to each other.

    `probability` is that of a conflict in text, None where it is not known. `before` is the one of
    them that goes first when they are put in sequence, "" while nothing asks for that.
    """

    first: str
    second: str
    verdict: PairVerdict
    probability: float | None = None
    evidence: tuple[GateEvidence, ...] = ()
    before: str = ""


@dataclass(frozen=True)
class TaskJudgement:
    """What is known of one task by itself.

    `stated`: it says which paths it writes. Only where it does not are they `predicted`.
    """

    task: str
    predicted: tuple[PredictedPath, ...] = ()
    notes: tuple[GateEvidence, ...] = ()
    stated: bool = True


@dataclass(frozen=True)
class Advice:
    """What to do, in words; with a `key`, what to write for it in the plan's table of `task`."""

    words: str
    task: str = ""
    key: str = ""
    value: str | tuple[str, ...] = ""


@dataclass(frozen=True)
class Edge:
    """The task `later` is to start when `earlier` has ended: one more entry of its `after`."""

    earlier: str
    later: str
    why: str


def log_odds(probability: float) -> float:
    """Return ln(p / (1 - p)); what is next to impossible or certain counts as one in 10,000."""
    share = min(max(probability, 1e-4), 1 - 1e-4)
    return math.log(share / (1 - share))


@dataclass(frozen=True)
class Recalibration:
    """What the outcomes of `pairs` pairs make of a stated probability: its log-odds are changed."""

    pairs: int = 0
    intercept: float = 0.0
    slope: float = 1.0

    def apply(self, probability: float) -> float:
        """Return what is to be stated instead."""
        return _chance(self.intercept + self.slope * log_odds(probability))

    def undo(self, probability: float) -> float:
        """Return what would have been stated without this."""
        return _chance((log_odds(probability) - self.intercept) / self.slope)


def _chance(odds: float) -> float:
    return 1 / (1 + math.exp(-odds))


AS_STATED = Recalibration()
"""Nothing was learned that would change what is stated."""


@dataclass(frozen=True)
class PlanJudgement:
    """What the gate says of a plan.

    `waves` are ids of tasks that may run side by side, with the plan's `needs` and `after` and the
    `edges` observed. `pairs` has every pair, in the plan's order. `notes` tell what could not be
    looked at. `recalibration` is in every probability of two tasks that declare their paths.
    """

    shape: Shape
    reason: str
    waves: tuple[tuple[str, ...], ...]
    pairs: tuple[PairJudgement, ...] = ()
    tasks: tuple[TaskJudgement, ...] = ()
    advice: tuple[Advice, ...] = ()
    edges: tuple[Edge, ...] = ()
    notes: tuple[str, ...] = ()
    recalibration: Recalibration = AS_STATED


class Happened(StrEnum):
    """What became of a pair that the gate had judged."""

    CLEAN = "clean"  # both were done side by side, and merge
    CONFLICT = "conflict"  # both were done side by side, and do not merge
    SEQUENCE = "in sequence"  # one started from the other's commit: nobody knows
    UNTRIED = "untried"  # at least one of them is not done: nobody knows


@dataclass(frozen=True)
class PairOutcome:
    """What became of two tasks, in the plan's order; `paths` are those in conflict."""

    first: str
    second: str
    happened: Happened
    paths: tuple[str, ...] = ()


@dataclass(frozen=True)
class TaskOutcome:
    """What a task has written, and what of that lies outside the paths that it declared.

    `bounced` is why its landing was, "" where it was not.
    """

    task: str
    written: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()
    bounced: str = ""


@dataclass(frozen=True)
class PlanOutcome:
    """What became of a plan that the gate had judged; `pairs` are as in its judgement."""

    pairs: tuple[PairOutcome, ...] = ()
    tasks: tuple[TaskOutcome, ...] = ()


@dataclass(frozen=True)
class JudgedRun:
    """What was said of a run's plan before it began, and what became of it, once that is known."""

    run: str
    mode: GateMode
    judgement: PlanJudgement
    outcome: PlanOutcome | None = None
