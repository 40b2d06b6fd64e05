"""What connecting a CLI means: what changes, and what the user should know."""

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
