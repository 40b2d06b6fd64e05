"""What connecting a CLI or cleaning up changes, or would change."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Scope(StrEnum):
    """Whose configuration: the user's own, or the repository's, which others may share."""

    USER = "user"
    PROJECT = "project"


@dataclass(frozen=True)
class FileChange:
    """A file that changes: `action` is create, change or remove; `diff` hides foreign values."""

    path: Path
    action: str
    diff: str


@dataclass(frozen=True)
class Connection:
    """What connecting an agent, or disconnecting it, means. No changes: it is so already.

    `applied` tells whether the files have been changed. `notes` are for the user to know.
    """

    agent: str
    scope: Scope
    remove: bool
    changes: tuple[FileChange, ...]
    notes: tuple[str, ...] = ()
    applied: bool = False


Confirm = Callable[[Connection], bool]


@dataclass(frozen=True)
class Removal:
    """One worktree that `clean` removed, would remove, or refuses to remove.

    `reason` says why it can go ("landed in main"), `kept` why it stays ("not landed"); one of the
    two is empty. `rescue` is the ref that still holds its work. `bytes` is what its files take.
    `ignored` are the files that git ignores and that were written since the session began: they go
    with the worktree.
    """

    session: str
    worktree: Path
    bytes: int
    reason: str = ""
    kept: str = ""
    rescue: str = ""
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True)
class HistoryRemoval:
    """An old run, or a file, that `clean --history` removed, would remove, or refuses to remove.

    `name` is the run's id or the file's path, `last` when something of it happened last (Unix
    seconds), `bytes` what its folders take, `kept` why it stays, "" if it may go.
    """

    name: str
    last: float
    bytes: int
    sessions: int = 0
    kept: str = ""
