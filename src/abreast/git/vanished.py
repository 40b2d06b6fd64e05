"""Lines that a merge has lost or doubled, although a side had added them.

Git's own merge does neither. A merge driver, and whoever solves a conflict, may do both and say
that all is well.
"""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from abreast.git.call import split
from abreast.git.repository import Repository

Lines = Sequence[str]


@dataclass(frozen=True)
class MergeLoss:
    """Lines of one file, each as often as it is missing or there too often, in the sides' order."""

    lost: tuple[str, ...] = ()
    doubled: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.lost or self.doubled)


def merge_loss(
    base: Lines, ours: Lines, theirs: Lines, result: Lines, *, only_ours: bool = False
) -> MergeLoss:
    """Return what `result`, a merge of `ours` and `theirs`, has lost or doubled.

    Counted are lines that a side adds to `base`: those that the result has less often than any
    merge that takes both sides' changes, and more often. With `only_ours`, of lines that `ours`
    adds. Blank lines do not count, and neither does where in the file a line is.
    """
    (added, removed), (more, less) = _edits(base, ours), _edits(base, theirs)
    there, old = Counter(result), Counter(base)
    lost, doubled = list[str](), list[str]()
    for line in added if only_ours else dict.fromkeys([*added, *more]):
        if not line.strip():
            continue
        # Both may have removed the same one of equal lines, or added the same one.
        both = min(old[line], removed[line] + less[line])
        fewest = old[line] - both + max(added[line], more[line])
        most = old[line] - max(removed[line], less[line]) + added[line] + more[line]
        lost += [line] * (fewest - there[line])
        doubled += [line] * (there[line] - most)
    return MergeLoss(tuple(lost), tuple(doubled))


def _edits(base: Lines, side: Lines) -> tuple[Counter[str], Counter[str]]:
    """Return how often `side` adds each line to `base`, and how often it removes it."""
    start = _common(base, side)
    end = _common(base[start:][::-1], side[start:][::-1])
    old, new = base[start : len(base) - end], side[start : len(side) - end]
    added, removed = Counter[str](), Counter[str]()
    if len(old) * len(new) > _LARGE:  # as if all between the first and the last change were one
        return Counter(new), Counter(old)
    for kind, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind != "equal":
            removed.update(old[i:j])
            added.update(new[k:m])
    return added, removed


_LARGE = 4_000_000  # pairs of lines to compare, some seconds' work


def _common(one: Lines, other: Lines) -> int:
    """Return how many lines the two begin with in common."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


def losses(
    repo: Repository,
    sides: tuple[str, str, str, str],
    paths: Sequence[str],
    *,
    only_ours: bool = False,
    env: Mapping[str, str] | None = None,
) -> dict[str, MergeLoss]:
    """Return what a merge has lost or doubled in each of these files, where it has.

    `sides` are the trees or commits of base, ours, theirs and the result. A file that is not there
    has no lines. Binary files, and what is no file, are left out.
    """
    found = {}
    for path, contents in _read(repo, sides, paths, env).items():
        if not any(b"\0" in content for content in contents):
            base, ours, theirs, result = (os.fsdecode(content).split("\n") for content in contents)
            loss = merge_loss(base, ours, theirs, result, only_ours=only_ours)
            if loss:
                found[path] = loss
    return found


def _read(
    repo: Repository, trees: Sequence[str], paths: Sequence[str], env: Mapping[str, str] | None
) -> dict[str, list[bytes]]:
    """Return the content of each path in each of the trees; empty where it is no file."""
    if not paths:
        return {}
    ids = [_blobs(repo, tree, paths, env) for tree in trees]
    wanted = list(dict.fromkeys(blob for found in ids for blob in found.values()))
    asked = "".join(f"{blob}\n" for blob in wanted)
    rest = os.fsencode(repo.call("cat-file", "--batch", stdin=asked, env=env).stdout)
    contents = {"": b""}
    for blob in wanted:
        head, _, rest = rest.partition(b"\n")
        size = int(head.split(b" ")[2])
        contents[blob], rest = rest[:size], rest[size + 1 :]
    return {path: [contents[found.get(path, "")] for found in ids] for path in paths}


def _blobs(
    repo: Repository, tree: str, paths: Sequence[str], env: Mapping[str, str] | None
) -> dict[str, str]:
    listed = repo.call("--literal-pathspecs", "ls-tree", "-z", "-r", tree, "--", *paths, env=env)
    rows = (row.partition("\t") for row in split(listed.stdout))
    return {path: head.split(" ")[2] for head, _, path in rows if head.startswith("100")}
