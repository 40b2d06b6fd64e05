"""Three-way merges of trees, many at once, without a work tree and without references."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from abreast.git.call import require_git
from abreast.git.replay_listing import HistoryStep
from abreast.git.replay_place import Place
from abreast.model.text import whole_characters

_MANY = (2, 39)  # `merge-tree --stdin`; an older git is started once for each merge
_SHAPE = ("merge-tree", "--write-tree", "--no-messages")
_ANY = range(256)
_ALL_SIDES = {"1", "2", "3"}


@dataclass(frozen=True, slots=True)
class Merge:
    """The change at `later` in a list of steps, put onto the commit `back` steps before it."""

    later: int
    back: int


@dataclass(frozen=True, slots=True)
class ReplayedMerge:
    """How a merge came out: the tree with marks in it, and the files in conflict.

    `whole` are those of them that all three sides have.
    """

    clean: bool
    tree: str = ""
    conflicted: tuple[str, ...] = ()
    whole: frozenset[str] = frozenset()


def merge_all(
    place: Place, steps: Sequence[HistoryStep], merges: Sequence[Merge]
) -> dict[Merge, ReplayedMerge]:
    """Return how these merges came out; those that git could not do are not in it."""
    if not merges:
        return {}
    commits = _make_commits(place, steps, merges)
    lines = [f"{commits[one]} {commits[Merge(one.later, 0)]}" for one in merges]
    if require_git() < _MANY:
        single = (_merge_one(place, line) for line in lines)
        return {one: found for one, found in zip(merges, single, strict=True) if found}
    found: dict[Merge, ReplayedMerge] = {}
    at = 0
    while at < len(merges):
        stdin = "".join(f"{line}\n" for line in lines[at:])
        read = list(_read(place.call(*_SHAPE, "--stdin", stdin=stdin, codes=_ANY).stdout))
        found |= zip(merges[at:], read, strict=False)
        at += len(read) + 1  # the one that has ended the batch, if any, is passed over
    return found


def _merge_one(place: Place, line: str) -> ReplayedMerge | None:
    done = place.call(*_SHAPE, "-z", *line.split(" "), codes=_ANY)
    if done.code > 1:
        return None
    return next(_read(f"{1 - done.code}\0{done.stdout}\0"), None)


def _read(output: str) -> Iterator[ReplayedMerge]:
    """Yield what `merge-tree --stdin` says: 1 (clean) or 0, the tree, the conflicts, nothing."""
    fields = iter(whole_characters(output).split("\0"))
    for status in fields:
        if status not in {"0", "1"}:
            return
        tree = next(fields, "")
        sides: dict[str, set[str]] = {}
        for entry in fields:
            if not entry:
                break
            stage, _, path = entry.partition("\t")
            sides.setdefault(path, set()).add(stage.rpartition(" ")[2])
        whole = frozenset(path for path, stages in sides.items() if stages == _ALL_SIDES)
        yield ReplayedMerge(status == "1", tree, tuple(sides), whole)


def _make_commits(
    place: Place, steps: Sequence[HistoryStep], merges: Sequence[Merge]
) -> dict[Merge, str]:
    """Return commits whose merge base is the later change's parent; `back` 0 is that change."""
    wanted: dict[int, list[int]] = {}
    for one in merges:
        wanted.setdefault(one.later, [0]).append(one.back)
    marks: dict[str, Merge] = {}
    script: list[str] = []
    for later, all_back in wanted.items():
        script.append("reset refs/abreast/replay\n")  # what follows begins a history of its own
        base = f":{len(script)}"
        script.append(_commit(base, steps[later + 1].tree))
        for back in all_back:
            mark = f":{len(script)}"
            marks[mark] = Merge(later, back)
            script.append(_commit(mark, steps[later + back].tree, f"from {base}\n"))
    file = place.folder / "marks"
    place.call("fast-import", "--quiet", "--force", f"--export-marks={file}", stdin="".join(script))
    lines = file.read_text(encoding="ascii").splitlines()
    named = (line.split(" ") for line in lines)
    return {marks[mark]: commit for mark, commit in named if mark in marks}


def _commit(mark: str, tree: str, parent: str = "") -> str:
    who = "committer abreast <abreast@localhost> 0 +0000"
    head = f"commit refs/abreast/replay\nmark {mark}\n{who}\ndata 0\n"
    return f'{head}{parent}M 040000 {tree} ""\n\n'
