"""Which sessions and worktrees of a repository would conflict if they landed now."""

from dataclasses import dataclass

from abreast.model.conflicts import FileConflict


@dataclass(frozen=True)
class PairConflict:
    """Two sides that do not merge; `other` may be the target."""

    one: str
    other: str
    files: tuple[FileConflict, ...]


@dataclass(frozen=True)
class ConflictMatrix:
    """All conflicts among `sides` and with `target`, which was at `commit`.

    `left_out` are sides that could not be read: name and reason. With `session`, only the conflicts
    of that one are in it.
    """

    target: str
    commit: str
    sides: tuple[str, ...]
    conflicts: tuple[PairConflict, ...]
    left_out: tuple[tuple[str, str], ...] = ()
    session: str = ""
