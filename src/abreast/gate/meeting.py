"""Declared paths that meet: on the tree as it is, and among files that do not exist yet."""

from collections.abc import Iterator

from abreast.gate.chance import TaskSide
from abreast.gate.globs import can_meet, covers, is_glob
from abreast.gate.planned import Declared, PlannedTask
from abreast.gate.words import listed
from abreast.model.gate import EvidenceKind, GateEvidence, PairVerdict


def side_of(work: PlannedTask) -> TaskSide:
    """Return what a task declares as the history is asked for it."""
    declared = work.declared
    return TaskSide(
        exact=declared.named,
        folders=tuple(f"{folder}/" if folder else "" for folder in declared.folders),
        sentence=work.task.produces,
        new=declared.new,
    )


def meetings(
    work: PlannedTask, other: PlannedTask, united: frozenset[str] = frozenset()
) -> Iterator[GateEvidence]:
    """Yield where the declared paths of two tasks meet.

    Of `united` files git keeps both sides, so that they never conflict.
    A file that both name makes a pair at least `maybe`, and one that both create couples it. How
    much more or less a meeting is worth, the history says.
    """
    one, two = work.declared, other.declared
    if new := sorted(one.new & two.new):
        yield _evidence(f"both create {listed(new)}", tuple(new), verdict=PairVerdict.COUPLED)
    if kept := sorted(one.exact & two.exact & united):
        words = f"both write {listed(kept)}, of which git keeps both sides (merge=union)"
        yield _evidence(words, tuple(kept))
    if exact := sorted((one.exact & two.exact) - united):
        yield _evidence(f"both write {listed(exact)}", tuple(exact), verdict=PairVerdict.MAYBE)
    for first, second, name in ((one, two, other.id), (two, one, work.id)):
        if inside := sorted((first.exact & second.matched) - second.exact):
            words = f"{listed(inside)} lies in what `{name}` declares as a folder or glob"
            yield _evidence(words, tuple(inside))
        if inside := sorted(path for path in first.new - second.new if _covered(path, second)):
            words = f"{listed(inside)} will lie in what `{name}` declares as a folder or glob"
            yield _evidence(words, tuple(inside))
    common = (one.matched & two.matched) - one.exact - two.exact
    if common:
        counted = "1 file" if len(common) == 1 else f"{len(common):,} files"
        yield _evidence(f"what both declare has {counted} in common")
    elif pair := next(_unborn(one, two), None):
        words = "both may create the same files: " + " and ".join(
            f"`{g}`" for g in dict.fromkeys(pair)
        )
        both = pair[0] in one.unborn and pair[1] in two.unborn
        yield _evidence(words, verdict=PairVerdict.MAYBE if both else PairVerdict.INDEPENDENT)


def _covered(path: str, declared: Declared) -> bool:
    return bool(declared.globs) and covers([*declared.globs, *declared.excluded], path)


def _unborn(one: Declared, two: Declared) -> Iterator[tuple[str, str]]:
    """Yield globs that can meet and of which one matches nothing yet: it stands for new files.

    First those of which neither does.
    """
    for first in sorted(one.globs, key=lambda glob: glob not in one.unborn):
        for second in sorted(two.globs, key=lambda glob: glob not in two.unborn):
            new = first in one.unborn or second in two.unborn
            if new and can_meet(first, second) and not _taken_out(one, two, first, second):
                yield first, second


def _taken_out(one: Declared, two: Declared, first: str, second: str) -> bool:
    """Return whether a task leaves out what the other's glob stands for."""
    return any(
        declared.excluded and not covers([*declared.globs, *declared.excluded], _example(glob))
        for declared, glob in ((one, second), (two, first))
        if covers(declared.globs, _example(glob))
    )


def _example(glob: str) -> str:
    """Return a path that a glob matches and hardly any other does."""
    parts = (("qz" if is_glob(part) else part) for part in glob.strip("/").split("/"))
    return "/".join(parts)


def _evidence(
    words: str, paths: tuple[str, ...] = (), *, verdict: PairVerdict = PairVerdict.INDEPENDENT
) -> GateEvidence:
    return GateEvidence(EvidenceKind.PATHS, words, paths, demands=verdict)
