"""The judgement of a whole plan: pairs, waves, shape, and what to do. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from abreast.gate.advice import advise, one_piece
from abreast.gate.combine import Seen, judge_pairs
from abreast.gate.planned import PlannedTask
from abreast.gate.sentence import sentence_notes
from abreast.gate.thresholds import DEEP_BELOW
from abreast.gate.waves import Coupling, arrange
from abreast.gate.words import tasks_listed
from abreast.model.gate import (
    Edge,
    PairJudgement,
    PairVerdict,
    PlanJudgement,
    Shape,
    TaskJudgement,
)
from abreast.model.text import counted


def judge_works(
    works: Sequence[PlannedTask], seen: Seen, notes: Sequence[str] = ()
) -> PlanJudgement:
    """Return what the gate says of tasks that are to be done on one repository."""
    order = [work.id for work in works]
    pairs = judge_pairs(works, seen)
    given = _Given(
        {work.id: frozenset(work.waits) for work in works},
        _closure({work.id: work.task.needs for work in works}),
    )
    coupled = [p for p in pairs if p.verdict is PairVerdict.COUPLED and not given.first_of(p)]
    coupled.sort(key=lambda pair: (not pair.before, -(pair.probability or 0.0)))
    found = arrange(order, given.waits, [Coupling(p.first, p.second, p.before) for p in coupled])
    firsts = {frozenset(edge): edge[0] for edge in found.edges}
    judged = tuple(
        replace(p, before=firsts.get(frozenset((p.first, p.second))) or given.first_of(p))
        for p in pairs
    )
    free = [pair for pair in judged if not given.first_of(pair)]
    edges = tuple(_edge(p) for p in free if p.before)
    tasks = tuple(_task(work, seen) for work in works)
    apart = [pair for pair in judged if not given.builds_on(pair)]
    shape, reason = _shape(works, apart, found.waves)
    advice = tuple(advise(works, free, tasks, edges))
    return PlanJudgement(
        shape, reason, found.waves, judged, tasks, advice, edges, tuple(notes), seen.recalibration
    )


@dataclass(frozen=True)
class _Given:
    """The sequences of the plan itself: what each task waits for, and all that it builds on."""

    waits: Mapping[str, frozenset[str]]
    needed: Mapping[str, frozenset[str]]

    def first_of(self, pair: PairJudgement) -> str:
        """Return the one of a pair from whose result the other one starts anyway, or ""."""
        for earlier, later in ((pair.first, pair.second), (pair.second, pair.first)):
            if earlier in self.waits[later] | self.needed[later]:
                return earlier
        return ""

    def builds_on(self, pair: PairJudgement) -> bool:
        """Return whether one of a pair needs the other, through others or not."""
        return pair.first in self.needed[pair.second] or pair.second in self.needed[pair.first]


def _edge(pair: PairJudgement) -> Edge:
    later = pair.second if pair.before == pair.first else pair.first
    return Edge(pair.before, later, pair.evidence[0].words)


def _shape(
    works: Sequence[PlannedTask], apart: Sequence[PairJudgement], waves: Sequence[Sequence[str]]
) -> tuple[Shape, str]:
    """Return the shape of the work, and why it is that one.

    `apart` are the pairs of which none needs the other: what needs another is meant to wait.
    """
    tasks = counted(len(works), "task")
    coupled = [pair for pair in apart if pair.verdict is PairVerdict.COUPLED]
    if len(works) < 2:
        return Shape.WIDE, f"{tasks}, and nothing beside it"
    if len(waves) < 2:
        return Shape.WIDE, f"{tasks}, {_known(apart)}"
    between = counted(len(coupled), "pair")
    if coupled and len(works) / len(waves) < DEEP_BELOW:
        pieces = one_piece(works, coupled)
        tied = {task for pair in coupled for task in (pair.first, pair.second)}
        group = pieces[0] if pieces else [work.id for work in works if work.id in tied]
        return Shape.DEEP, (
            f"{tasks} would take {len(waves)} waves, {between} of them coupled: run one session for"
            f" {tasks_listed(group)}"
        )
    why = f"{between} coupled" if coupled else "as the plan has it"
    return Shape.WAVES, f"{tasks} in {len(waves)} waves, {why}"


def _known(pairs: Sequence[PairJudgement]) -> str:
    """Say how well it is known that nothing keeps tasks from running side by side."""
    verdicts = {pair.verdict for pair in pairs}
    maybe = "some of which may conflict"
    if PairVerdict.UNKNOWN in verdicts:
        surely = maybe if PairVerdict.MAYBE in verdicts else "as far as is known"
        return f"{surely}: not all say which paths they write"
    return maybe if PairVerdict.MAYBE in verdicts else "independent"


def _task(work: PlannedTask, seen: Seen) -> TaskJudgement:
    predicted = () if work.declared else tuple(seen.predicted.get(work.id, ()))
    return TaskJudgement(work.id, predicted, tuple(sentence_notes(work)), bool(work.declared))


def _closure(waits: Mapping[str, Sequence[str]]) -> dict[str, frozenset[str]]:
    """Return for each task all that it waits for, through others or not."""
    found: dict[str, frozenset[str]] = {}
    for task in waits:
        reached: set[str] = set()
        left = list(waits[task])
        while left:
            one = left.pop()
            if one not in reached:
                reached.add(one)
                left.extend(waits.get(one, ()))
        found[task] = frozenset(reached)
    return found
