"""What one needs to know to decide about a session: its intent, its result, and what is risky."""

from dataclasses import dataclass

from abreast.model.session import Session


@dataclass(frozen=True)
class PageFile:
    """A file that a session changed. Lines are None where git sees it as binary.

    `status` is A (added), D (deleted), M (modified) or T (type changed).
    """

    path: str
    status: str
    added: int | None = None
    deleted: int | None = None
    outside: bool = False  # of the paths that its task declares


@dataclass(frozen=True)
class CheckedCommand:
    """A command of the plan's that was run on a session's result."""

    name: str
    command: str
    passed: bool
    outcome: str  # `exit 0`, or what stopped it
    said: str = ""  # the telling line of its output, where it failed


@dataclass(frozen=True)
class PageConflict:
    """With whom a session's change conflicts in text: its target as it is now, or a session."""

    other: str
    paths: tuple[str, ...]


@dataclass(frozen=True)
class SessionPage:
    """Everything about one session that its reviewer needs.

    `risks` are sentences; none of them stops a landing. `landing` says what landing it does, and
    `command` is the command that does it; both are empty for a session that cannot land, and
    `advice` says what to do instead. `landed` says where it is, if it has landed, and how
    to undo it.
    """

    session: Session
    target: str
    intent: str
    prompt: str
    files: tuple[PageFile, ...] = ()
    checks: tuple[CheckedCommand, ...] = ()
    conflicts: tuple[PageConflict, ...] = ()
    risks: tuple[str, ...] = ()
    landing: str = ""
    command: str = ""
    advice: str = ""
    landed: str = ""

    @property
    def lines(self) -> tuple[int, int]:
        """Lines added and deleted."""
        return sum(f.added or 0 for f in self.files), sum(f.deleted or 0 for f in self.files)
