"""Which sessions and worktrees of a repository would conflict if they landed now."""

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
class PairConflict:
    """Two sides that do not merge; `other` may be the target."""

    one: str
    other: str
    files: tuple[FileConflict, ...]


@dataclass(frozen=True)
class ConflictMatrix:
    """All conflicts among `sides` and with `target`, which was at `commit`.

    `left_out` are sides that could not be read: name and reason.
    """

    target: str
    commit: str
    sides: tuple[str, ...]
    conflicts: tuple[PairConflict, ...]
    left_out: tuple[tuple[str, str], ...] = ()
