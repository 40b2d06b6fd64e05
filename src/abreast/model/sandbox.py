"""What a user wants of the sandbox: whether sessions run inside it, and what it leaves open."""

from dataclasses import dataclass
from enum import StrEnum


class SandboxMode(StrEnum):
    """Whether what sessions start runs inside a sandbox."""

    AUTO = "auto"  # where one works; else a run says that nothing is confined, and why
    BWRAP = "bwrap"  # only inside: without a sandbox, no session starts
    NONE = "none"


@dataclass(frozen=True)
class SandboxSettings:
    """The table `[sandbox]` of the user's settings.

    `allow` are files and folders that sessions may write beyond their own, `program` is the
    bubblewrap to use; absolute paths.
    """

    mode: SandboxMode = SandboxMode.AUTO
    allow: tuple[str, ...] = ()
    program: str = ""
