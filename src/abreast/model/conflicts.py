"""What of a session's work stands against that of others: files and lines."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

Lines = tuple[tuple[int, int], ...]
"""Stretches of lines of one side's own file: the first and the last of each, counted from 1."""


@dataclass(frozen=True)
class FileConflict:
    """A path in conflict, and the lines of each side that stand against each other.

    Lines are empty for a binary file, and on a side whose file is called otherwise or is gone.
    """

    path: str
    one: Lines = ()
    other: Lines = ()


@dataclass(frozen=True)
class WorkConflict:
    """What of a session's work, as it was last looked at, stands against that of `other`.

    `other` is a session's id, or with `is_target` the branch that the session is to land on, as it
    is now. In `files` the session's own lines are `one`, those of the other side `other`. `more`
    counts further files, which are not listed.
    """

    other: str
    files: tuple[FileConflict, ...]
    more: int = 0
    is_target: bool = False

    @property
    def key(self) -> tuple[str, bool, tuple[str, ...], int]:
        """What tells it from another: with whom, and in which files. Lines move all the time."""
        return self.other, self.is_target, tuple(file.path for file in self.files), self.more


def told_files(files: Sequence[FileConflict], more: int = 0) -> Iterator[str]:
    """Yield a line for each file in conflict, such as `src/a.py: lines 3-5, 9 against line 4`."""
    for file in files:
        ours, theirs = told_lines(file.one), told_lines(file.other)
        lines = " against ".join((ours or "-", theirs or "-")) if ours or theirs else ""
        yield f"{file.path}: {lines}" if lines else file.path
    if more:
        yield f"and {more:,} more"


def told_lines(lines: Lines) -> str:
    """Return lines such as `lines 3-5, 9`; "" for none."""
    spans = ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in lines)
    one = len(lines) == 1 and lines[0][0] == lines[0][1]
    return f"{'line' if one else 'lines'} {spans}" if spans else ""
