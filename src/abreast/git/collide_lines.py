"""Which lines of each side's files stand against each other where two sides conflict."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from abreast.git.call import split
from abreast.git.changes import ChangedPath
from abreast.git.repository import Repository

_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_RAW = re.compile(r":\d+ \d+ [0-9a-f]+ [0-9a-f]+ ([ADMT])")
_FILE = re.compile(r"^diff --git ", re.MULTILINE)
_DIFF = ("diff-tree", "-r", "-z", "--raw", "-p", "-U0", "--no-renames", "--no-color", "--no-prefix")
_PLAIN = ("--no-ext-diff", "--no-textconv", "--diff-algorithm=histogram")


@dataclass(frozen=True)
class LineSpan:
    """Lines of a side's own file, counted from 1, both ends included.

    Where lines were deleted it is the line before them.
    """

    first: int
    last: int

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"


@dataclass(frozen=True)
class LineEdit:
    """A hunk: the lines `lines` of the new file stand where `start` to `end` were.

    These count the gaps between the lines of the old file, 0 being the one before its first line.
    """

    start: int
    end: int
    lines: LineSpan


Edits = Mapping[str, tuple[LineEdit, ...]]


def read_edits(
    repo: Repository,
    base: str,
    tip: str,
    paths: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
) -> Edits:
    """Return what `tip` changes in the files `paths` since `base`, both commits or trees.

    A binary file, and one that is no regular file, has no edits.
    """
    if not paths:
        return {}
    words = (*_DIFF, *_PLAIN, base, tip, "--", *paths)
    printed = repo.call("--literal-pathspecs", *words, env=env).stdout
    if not printed:
        return {}
    listed, _, patches = printed.partition("\0\0")
    fields = split(listed + "\0")
    changes = [
        ChangedPath(path, found[1])
        for raw, path in zip(fields[::2], fields[1::2], strict=True)
        if (found := _RAW.match(raw))
    ]
    parts = iter(_FILE.split(patches)[1:])
    edits: dict[str, tuple[LineEdit, ...]] = {}
    for change in changes:
        patch = next(parts, "")
        if change.status == "T":  # printed as a deletion and an addition
            next(parts, "")
        else:
            edits[change.path] = _edits(patch)
    return edits


def _edits(patch: str) -> tuple[LineEdit, ...]:
    found = (_HUNK.match(line) for line in patch.split("\n"))
    return tuple(_edit(*match.groups()) for match in found if match)


def _edit(old: str, removed: str | None, new: str, added: str | None) -> LineEdit:
    # Of no lines, git names the one before them.
    gone, made = int(removed or 1), int(added or 1)
    start = int(old) - 1 if gone else int(old)
    first = max(int(new), 1)
    return LineEdit(start, start + gone, LineSpan(first, first + max(made, 1) - 1))


def facing(ones: Sequence[LineEdit], others: Sequence[LineEdit]) -> tuple[LineSpan, ...]:
    """Return the lines of those `ones` that overlap or adjoin one of `others`; else of all.

    Both have the same old file. None overlap where a file was renamed or its mode has changed.
    """
    met = [one for one in ones if any(_touch(one, other) for other in others)]
    return tuple(one.lines for one in met or ones)


def _touch(one: LineEdit, other: LineEdit) -> bool:
    return one.start <= other.end and other.start <= one.end
