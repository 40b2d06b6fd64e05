"""What to do about a judgement: lines to add to the plan, tasks to merge, paths to declare."""

from collections.abc import Iterator, Mapping, Sequence

from abreast.gate.planned import PlannedTask
from abreast.gate.thresholds import ONE_PIECE
from abreast.gate.words import tasks_listed
from abreast.model.gate import (
    Advice,
    Edge,
    EvidenceKind,
    PairJudgement,
    PairVerdict,
    TaskJudgement,
)

_LISTS = frozenset({"md", "rst", "txt", "adoc"})  # each line, or paragraph, is for itself


def advise(
    works: Sequence[PlannedTask],
    pairs: Sequence[PairJudgement],
    tasks: Sequence[TaskJudgement],
    edges: Sequence[Edge],
) -> Iterator[Advice]:
    """Yield what to do, what a plan file takes as it is first."""
    later: dict[str, list[str]] = {}
    for edge in edges:
        later.setdefault(edge.later, []).append(edge.earlier)
    for task, earlier in later.items():
        yield Advice(
            f"let `{task}` start after {tasks_listed(earlier)}", task, "after", tuple(earlier)
        )
    for group in one_piece(works, pairs):
        yield Advice(f"or make one task of {tasks_listed(group)}: they are one piece of work")
    yield from _mechanical(pairs)
    unstated = [one.task for one in tasks if not one.stated]
    if unstated and len(tasks) > 1:
        yield Advice(f'say what {tasks_listed(unstated)} will write: paths = ["…"]')
    if noted := [one.task for one in tasks if one.notes]:
        words = f'say in one sentence what {tasks_listed(noted)} will have made: produces = "…"'
        yield Advice(words)


def one_piece(works: Sequence[PlannedTask], pairs: Sequence[PairJudgement]) -> list[list[str]]:
    """Return the groups of at least three tasks of which most pairs are coupled."""
    coupled = {frozenset((p.first, p.second)) for p in pairs if p.verdict is PairVerdict.COUPLED}
    groups = []
    left = [work.id for work in works]
    while left:
        group = _group(left, coupled)
        left = [task for task in left if task not in group]
        inside = sum(1 for pair in coupled if pair <= set(group))
        if len(group) > 2 and inside > ONE_PIECE * len(group) * (len(group) - 1) / 2:
            groups.append(group)
    return groups


def _group(tasks: Sequence[str], coupled: set[frozenset[str]]) -> list[str]:
    """Return all tasks that are coupled with the first one, through others or not."""
    reached = {tasks[0]}
    while True:
        more = {task for task in tasks if any(frozenset((task, r)) in coupled for r in reached)}
        if more <= reached:
            return [task for task in tasks if task in reached]
        reached |= more


def _mechanical(pairs: Sequence[PairJudgement]) -> Iterator[Advice]:
    met: Mapping[str, None] = {
        path: None
        for pair in pairs
        for one in pair.evidence
        if one.kind is EvidenceKind.MECHANICAL
        for path in one.paths
    }
    for path in met:
        yield Advice(f"let one task write `{path}`, or {_else(path)}")


def _else(path: str) -> str:
    """Say what resolves a conflict in a mechanical file: only a list may keep both sides."""
    _, dot, suffix = path.rpartition("/")[2].rpartition(".")
    if not dot or suffix in _LISTS:
        return f"commit the line `{path} merge=union` in .gitattributes"
    return "generate it again once both have landed"
