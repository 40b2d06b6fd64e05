"""The parts that an agent may have besides its process: records, briefing, connection, hook."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from abreast.agents import AGENTS
from abreast.process.environment import DEPTH, ORDINARY, SESSION

_NUMBERS = re.compile(r"(?<!\d)\d+(?:\.\d+)+")

_Order = tuple[tuple[int, ...], bool]


class VersionStatus(StrEnum):
    """How a version stands to those that were tried."""

    TRIED = "tried"
    UNTRIED = "untried"  # newer than all of them, or it does not say which it is
    TOO_OLD = "too old"


@dataclass(frozen=True)
class Certified:
    """The oldest and the newest version that were tried, with every release of abreast.

    What lies between them counts as tried.
    """

    oldest: str
    newest: str

    def standing(self, version: str) -> VersionStatus:
        """Return how a version stands, such as `0.61.0`; "" is one that does not say."""
        order = _order(version)
        if order is None or order > _sure(self.newest):
            return VersionStatus.UNTRIED
        return VersionStatus.TOO_OLD if order < _sure(self.oldest) else VersionStatus.TRIED

    def tried_since(self, version: str, since: str) -> bool:
        """Return whether `version` is one that was tried, and not older than `since`."""
        order = _order(version)
        known = self.standing(version) is VersionStatus.TRIED
        return known and order is not None and order >= _sure(since)

    def __str__(self) -> str:
        return f"{self.oldest} to {self.newest}"


def _order(version: str) -> _Order | None:
    """Return what sorts versions: a pre-release (`1.2.0-beta.3`) comes before its release."""
    found = _NUMBERS.search(version)
    if found is None:
        return None
    return tuple(map(int, found[0].split("."))), not version[found.end() :].startswith("-")


def _sure(version: str) -> _Order:
    order = _order(version)
    if order is None:
        raise ValueError(f"no version: {version!r}")
    return order


NAME = "abreast"
"""The server's name in every configuration."""

SECONDS_TO_START = 30
SECONDS_A_CALL = 600
"""No call of ours takes as long (Claude Code, which waits best, has a figure of its own)."""


class Layout(StrEnum):
    """How a configuration file is written."""

    JSON = "json"
    TOML = "toml"


@dataclass(frozen=True)
class Wanted:
    """What to register, and where.

    `server` is the command line of the MCP server. `top` is the top of the repository; None for
    the user's own configuration. `scratch` is an empty folder for the CLI's command to work in.
    """

    server: tuple[str, ...]
    environ: Mapping[str, str]
    scratch: Path
    top: Path | None = None


@dataclass(frozen=True)
class Registration:
    """What one CLI needs to offer our tools.

    `command` (after the program's name), run with `env` and `files` in the scratch folder, makes
    the CLI write the entry by itself, at `keys` in `written`. The entry and `extras`, which that
    command cannot set, belong at `keys` in `config`. `notes` say what the user should know.
    """

    config: Path
    layout: Layout
    keys: tuple[str, ...]
    skills: Path
    command: tuple[str, ...]
    env: Mapping[str, str]
    written: Path
    files: Mapping[Path, str] = field(default_factory=dict)
    extras: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


# What the globs among the ordinary patterns stand for, where names have to be literal.
_ORDINARY_NAMES = (
    "LC_ALL",
    "LC_CTYPE",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_RUNTIME_DIR",
    "XDG_STATE_HOME",
)
_OURS = (
    "ABREAST_DB",
    "ABREAST_IDLE_EXIT",
    "ABREAST_MAX_SESSIONS",
    "ABREAST_MCP_WAIT",
    "ABREAST_STATE_DIR",
    DEPTH,
    SESSION,
)


def variables() -> list[str]:
    """Return, sorted, every variable that the server or a child of any agent may need by name."""
    agents = AGENTS.values()
    patterns = (*ORDINARY, *(pattern for agent in agents for pattern in agent.env_patterns))
    meant = (name for agent in agents for name in agent.env_names)
    return sorted({p for p in patterns if "*" not in p}.union(meant, _ORDINARY_NAMES, _OURS))


# The hook that each CLI runs when a session of it ends: where it stands, and what it is told.
#
# Tried with Claude Code 2.1.330, Codex 0.169.0 and Gemini CLI 0.61.0: all three run it also when
# a quota has stopped the session. None runs it after a kill -9.

EVENT = ("hooks", "SessionEnd")
"""Where the groups of its hooks stand in a configuration, in all three."""

SECONDS = 30
"""The time that a hook is given, where the CLI lets us say it."""


@dataclass(frozen=True)
class EndingHook:
    """A hook in the user's own configuration: `group` belongs into the list at `EVENT`.

    In a TOML file at its end; `beside`, given its number there, returns what else belongs in the
    table `hooks.state`. With the setting `off` at `off_value` the CLI runs no hook at all, and
    says nothing about it.
    """

    config: Path
    layout: Layout
    group: Mapping[str, Any]
    off: tuple[str, ...] = ()
    off_value: bool = False
    beside: Callable[[int], dict[str, Any]] = lambda _: {}

    def hooks_off(self, settings: Mapping[str, Any]) -> str:
        """Return the setting by which the user has the CLI run no hooks, "" when there is none."""
        from abreast.agents.recorded import at  # here: every supervisor imports this module

        return ".".join(self.off) if at(settings, *self.off) is self.off_value else ""


def told(payload: str) -> tuple[Path | None, Path | None]:
    """Return the transcript and the folder of the session that a hook is told of on its input."""
    try:
        found = json.loads(payload)
    except ValueError:
        return None, None
    if not isinstance(found, dict):
        return None, None
    values = (found.get(key) for key in ("transcript_path", "cwd"))
    transcript, folder = (Path(v) if isinstance(v, str) and v else None for v in values)
    return transcript, folder


if TYPE_CHECKING:
    import os

    from abreast.model.transcript import Begun, Spent, Transcript, TranscriptEvent


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

    def introduces(self, line: bytes, told: "Begun", /) -> bool:
        """Return whether a line, not one of the first, may introduce the session anew.

        That is, say otherwise than `told` which one it was taken from.
        """


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
