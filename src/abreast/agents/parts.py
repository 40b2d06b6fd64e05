"""The parts that an agent may have besides its own process: records, briefing files, connection."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import os

    from abreast.agents.connecting import Registration, Wanted
    from abreast.model.transcript import Spent, Transcript, TranscriptEvent


class Pass(Protocol):
    """One pass over one transcript file. `skipped` counts the lines that were not understood."""

    @property
    def skipped(self) -> int: ...

    def feed(self, line: bytes) -> "Iterable[TranscriptEvent]":
        """Return what a line tells; never raises, whatever the line is."""


class Totals(Protocol):
    """One pass over one transcript file for what its requests have used, and nothing else.

    `state` is all that it has to remember to go on later, as JSON; None when that is nothing.
    """

    @property
    def state(self) -> Mapping[str, Any] | None: ...

    @property
    def skipped(self) -> int: ...

    @property
    def warnings(self) -> list[str]: ...

    def feed(self, line: bytes) -> "Iterable[Spent]":
        """Return what a line says was spent; never raises, whatever the line is."""


class Records(Protocol):
    """Where a CLI keeps its transcripts, and how they are read: a module, or any object.

    `ASIDES` is how the ids begin of the subagents that the CLI runs for itself: their requests are
    the session's. `Events` begins a pass over a file, `Spending` one for its totals, with the
    state of an earlier one or None.
    """

    @property
    def ASIDES(self) -> tuple[str, ...]: ...  # noqa: N802 (a constant, where it is a module)

    @property
    def Events(self) -> Callable[[Path], Pass]: ...  # noqa: N802

    @property
    def Spending(self) -> Callable[[Path, Mapping[str, Any] | None], Totals]: ...  # noqa: N802

    def roots(self, environ: Mapping[str, str], /) -> tuple[Path, ...]:
        """Return the folders of the user's transcripts; they need not exist."""

    def scan(
        self, environ: Mapping[str, str], also: Iterable[Path], /
    ) -> Iterator["os.DirEntry[str]"]:
        """Yield every transcript under the roots and in the private homes `also`; opens no file.

        No symbolic link is followed, but for the roots themselves.
        """

    def children(self, path: Path, /) -> list[Path]:
        """Return the transcripts of the subagents that the session at `path` started itself."""

    def read(self, path: Path, /) -> "Transcript":
        """Read a whole session with its subagents; what cannot be read is told in `warnings`."""

    def carries(self, line: bytes, /) -> bool:
        """Return whether a line may say what was spent: others are not given to `Spending`."""


@dataclass(frozen=True)
class Retention:
    """For how many days a CLI keeps its transcripts, and what to change so that they stay."""

    days: float
    change: str


@dataclass(frozen=True)
class BriefingFiles:
    """What a CLI reads of a project's standing instructions by itself, in each folder.

    `imports`: it follows lines `@path`. `most` bytes are taken of all files together; 0: all.
    Where no folder has a file `name`, it reads those called `instead` since that version.
    """

    name: str
    imports: bool = False
    most: int = 0
    instead: str = ""
    since: str = ""


class Connector(Protocol):
    """How our MCP server and skill are registered in a CLI: a module, or any object.

    `WAIT` is a number of seconds well within the time that the CLI gives a call. `SESSION` and
    `FOLDER` are the variables in which a server finds the id of the CLI's session and the folder of
    its project; "" when it is not told.
    """

    @property
    def WAIT(self) -> float: ...  # noqa: N802 (a constant, where it is a module)

    @property
    def SESSION(self) -> str: ...  # noqa: N802

    @property
    def FOLDER(self) -> str: ...  # noqa: N802

    def registration(self, wanted: "Wanted", /) -> "Registration":
        """Return how `wanted.server` is registered."""
