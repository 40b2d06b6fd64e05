"""How right the gate has been: verdicts held against what has become of the pairs. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from abreast.model.gate import Happened, JudgedRun, PairJudgement, PairOutcome, PairVerdict

_EDGES = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9)
_WARNS = frozenset({PairVerdict.MAYBE, PairVerdict.COUPLED})
_TRIED = frozenset({Happened.CLEAN, Happened.CONFLICT})


@dataclass(frozen=True)
class ReviewedPair:
    """What the gate has said of a pair, and what became of it; None while that is not known."""

    said: PairJudgement
    outcome: PairOutcome | None = None

    @property
    def tried(self) -> bool:
        """Whether both tasks were done side by side, so that it is known whether they conflict."""
        return self.outcome is not None and self.outcome.happened in _TRIED

    @property
    def conflicted(self) -> bool:
        return self.outcome is not None and self.outcome.happened is Happened.CONFLICT


@dataclass(frozen=True)
class Band:
    """Pairs whose stated probability is from `low` to below `high`.

    `said` is the mean of what was stated, `happened` the share of `pairs` that did conflict.
    """

    low: float
    high: float
    pairs: int
    said: float
    happened: float


@dataclass(frozen=True)
class Score:
    """How right the gate has been over `runs`; a pair counts once both its tasks were done apart.

    A pair was `warned` of when the verdict was maybe or coupled. `precision` is the share of those
    that conflicted, `recall` the share of the `conflicts` that were warned of; None: no such pair.
    """

    runs: int
    pairs: int
    tried: int
    conflicts: int
    warned: int
    precision: float | None
    recall: float | None
    calibration: tuple[Band, ...]


@dataclass(frozen=True)
class RunReview:
    """A run's judgement, and its pairs held against what became of them."""

    judged: JudgedRun
    pairs: tuple[ReviewedPair, ...]


@dataclass(frozen=True)
class Review:
    """One run's review, and the score over all runs of its repository."""

    run: RunReview
    score: Score


def reviewed(judged: JudgedRun) -> tuple[ReviewedPair, ...]:
    """Return the pairs of a run, in the plan's order, each with what became of it."""
    outcome = judged.outcome
    known = {frozenset((o.first, o.second)): o for o in outcome.pairs} if outcome else {}
    return tuple(
        ReviewedPair(pair, known.get(frozenset((pair.first, pair.second))))
        for pair in judged.judgement.pairs
    )


def score(runs: Sequence[JudgedRun]) -> Score:
    """Return how right the gate has been over these runs.

    A pair that was put in sequence was never tried, and counts neither for the gate nor against it.
    """
    pairs = [pair for run in runs for pair in reviewed(run)]
    tried = [pair for pair in pairs if pair.tried]
    warned = [pair for pair in tried if pair.said.verdict in _WARNS]
    conflicts = [pair for pair in tried if pair.conflicted]
    right = sum(pair.conflicted for pair in warned)
    return Score(
        runs=len(runs),
        pairs=len(pairs),
        tried=len(tried),
        conflicts=len(conflicts),
        warned=len(warned),
        precision=right / len(warned) if warned else None,
        recall=right / len(conflicts) if conflicts else None,
        calibration=tuple(_bands(tried)),
    )


def _bands(tried: Sequence[ReviewedPair]) -> Iterable[Band]:
    stated = [(pair.said.probability, pair) for pair in tried if pair.said.probability is not None]
    for low, high in zip(_EDGES, (*_EDGES[1:], 1.0), strict=True):
        inside = [(p, pair) for p, pair in stated if low <= p and (p < high or high == 1.0)]
        if inside:
            happened = fmean(pair.conflicted for _, pair in inside)
            yield Band(low, high, len(inside), fmean(p for p, _ in inside), happened)
