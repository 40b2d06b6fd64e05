"""The seam between abreast and agent CLIs: one `Agent` per CLI, each in a package of its own.

An adapter holds all that is odd about its CLI: command line, environment, permission profile, how a
line of its stream becomes an `Event`, how a stream that has ended is judged, and the parts of
`abreast.agents.parts`. Nothing outside an adapter knows a vendor's field name.

Adapters start no process and touch no file of the user's: `headless` and `interactive` return a
`Command` that says which files to write (into the session's own directory) and what to run.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from abreast.model.events import Event, Verdict
from abreast.model.limits import Limits, Profile
from abreast.model.question import Question
from abreast.model.usage import Usage

if TYPE_CHECKING:  # every supervisor of an agent imports this module, and needs none of these
    from abreast.agents.parts import (
        BriefingFiles,
        Certified,
        Connector,
        EndingHook,
        Records,
        Retention,
    )
    from abreast.loopback.dialect import Dialect
    from abreast.model.economy import PriceList
    from abreast.model.finding import Defect
    from abreast.model.task import AgentChoice


class StopSignal(StrEnum):
    """The signal that makes a CLI end cleanly; SIGKILL and a sweep follow in any case."""

    INT = "SIGINT"
    TERM = "SIGTERM"


class LoginState(StrEnum):
    READY = "ready"
    MISSING = "missing"
    UNKNOWN = "unknown"  # it cannot be told without asking the provider
    NOT_NEEDED = "not needed"


@dataclass(frozen=True)
class Login:
    """Whether a CLI is logged in, as far as its files and our environment tell, and how.

    `detail` names the kind of login ("API key in ANTHROPIC_API_KEY"), never a secret; `hint` names
    the login command when it is missing.
    """

    state: LoginState
    detail: str = ""
    hint: str | None = None


@dataclass(frozen=True)
class Capabilities:
    """What an agent can do, as rows of `abreast agents`."""

    resume: bool = False  # continue a session by its exact id
    interactive: bool = False  # `abreast open` and `abreast attach`
    cost: bool = False  # its CLI states a cost
    usage: bool = False  # its CLI states tokens
    model: bool = False  # a model can be chosen
    structured_output: bool = False  # it takes a JSON Schema for its answer
    confined_writes: str = ""  # what keeps writes in the worktree; empty: nothing does
    answered: bool = False  # it can wait for a person's answer while it runs
    told: str = ""  # when a running session hears what `abreast tell` says; empty: never


@dataclass(frozen=True)
class Installed:
    """A CLI found on this machine: the file to run, and its version as it states it."""

    path: Path
    version: str = ""


@dataclass(frozen=True)
class Relied:
    """A program of this machine that a CLI cannot do without. `path` is None when it is missing.

    `note` says what to know about it, or, when it is missing, what to do.
    """

    name: str
    path: Path | None
    note: str = ""


def which(environ: Mapping[str, str], name: str) -> Path | None:
    """Return the program of this name on `environ["PATH"]`, or None."""
    import shutil  # here, because a runner reads a stream and looks for no program

    found = shutil.which(name, path=environ.get("PATH", ""))
    return Path(found) if found else None


def relied(environ: Mapping[str, str], names: Mapping[str, str]) -> tuple[Relied, ...]:
    """Look for programs on PATH; `names` says of each what to do when it is missing."""
    found = {name: which(environ, name) for name in names}
    return tuple(Relied(name, path, "" if path else names[name]) for name, path in found.items())


SHELL = {"sh": "install a POSIX shell"}
GIT = {"git": "install git"}


def _no_choice() -> "AgentChoice":
    # Here, because a runner reads a stream and needs no tasks, whose import takes it 10 ms.
    from abreast.model.task import AgentChoice

    return AgentChoice("")


@dataclass(frozen=True)
class Child:
    """What a session is that answers a question under a contract.

    `schema` is that of the answer, a JSON object. Without `edits` nothing may be written anywhere.
    """

    schema: Mapping[str, Any]
    edits: bool = False
    profile: Profile = Profile.LEAN


@dataclass(frozen=True)
class Letter:
    """A message to a running session, as its CLI's hooks pass it on: what they print, as JSON.

    `tool` is for the hook that runs after a tool call, `turn` for the one at the end of a turn.
    """

    tool: str
    turn: str


@dataclass(frozen=True)
class Launch:
    """All that an adapter needs to know to write a command line.

    `directory` is the session's own, for settings, schemas and a private CLI home. `environ` is
    the user's environment, reduced to the allow-list. `cli_session` is the id to give the CLI's
    session (a fresh UUID4), or with `resume` the id of the session to continue. `briefing` is the
    project's standing instructions, the same text for every CLI; empty when there are none.
    """

    installed: Installed
    directory: Path
    worktree: Path
    git_dir: Path  # of the worktree
    common_dir: Path  # the repository's
    environ: Mapping[str, str]
    prompt: str = ""
    briefing: str = ""
    model: str = ""
    limits: Limits = field(default_factory=Limits)
    choice: "AgentChoice" = field(default_factory=_no_choice)
    cli_session: str = ""
    resume: bool = False
    child: Child | None = None
    mailbox: Path | None = None  # the folder whose letters reach the session while it runs
    asks: bool = False  # a person may answer while it runs, where its CLI can wait for that
    allowed: tuple[Question, ...] = ()  # what a person has allowed it for all of the session


@dataclass(frozen=True)
class Redirect:
    """What points a CLI with a scratch home at a model server on this machine.

    `env` holds everything the CLI needs besides the ordinary variables: HOME, a dummy key, a base
    URL. `files` are the settings to write into that home first.
    """

    env: Mapping[str, str]
    files: Mapping[Path, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Command:
    """What to run. `env` is complete, nothing is inherited. `files` are written first, mode 0600.

    `stdin` is given on standard input, which is then closed (an interactive command has the
    terminal instead). Where it `asks`, standard input stays open for answers until its result.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str]
    stdin: str = ""
    files: Mapping[Path, str] = field(default_factory=dict)
    links: Mapping[Path, Path] = field(default_factory=dict)  # symlinks to make: name -> target
    stop_signal: StopSignal = StopSignal.INT
    activity: tuple[Path, ...] = ()  # files whose change is a sign of life (transcripts)
    asks: bool = False
    note: str = ""  # what a person should know before it has their terminal


@dataclass(frozen=True)
class StateFiles:
    """What a CLI needs of the user's files where a sandbox lets it write nothing else of them.

    It can write `writable`: its login, the record of this session. What is `sealed` stays as it is,
    though it lies in such a folder: settings, hooks, instructions, whatever a later session of the
    user's would obey. `mounted` are folders that it has of its own in the place of the user's
    (path -> own folder); in these, `readable` shows the user's own files. `files` are written
    first, `environment` goes over the command's.
    """

    writable: tuple[Path, ...] = ()
    readable: tuple[Path, ...] = ()
    sealed: tuple[Path, ...] = ()
    mounted: Mapping[Path, Path] = field(default_factory=dict)
    files: Mapping[Path, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)


ASK_AT_THE_END = (
    "Nobody can answer while you work. If you cannot finish without an answer, end your turn with "
    "a last line that begins with `Question:`. You go on once a person has answered."
)
"""The rule about questions for an agent whose CLI goes on with a session, but cannot wait."""


class StreamReader(Protocol):
    """Reads one agent process's output, line by line, and judges it at the end.

    A reader is tolerant: a line it does not know, cannot parse or finds torn yields no events and
    is counted in `skipped`.
    """

    skipped: int

    def feed(self, line: bytes) -> Iterable[Event]:
        """Return the events that one line of standard output stands for."""

    def used(self) -> Usage:
        """Return what this process has used so far by the CLI's own record, which is read for it.

        Nothing is known of a CLI whose stream tells it with every reply, or that keeps no record.
        """
        return Usage()

    def verdict(self, code: int | None, stderr: str) -> Verdict:
        """Judge the whole stream. `code` is the exit code (negative: the signal; None: lost).

        `stderr` is the end of what the process wrote there. Whether the worktree changed, a limit
        tripped or the user asked to stop is not the reader's business.
        """


class AskingReader(StreamReader, Protocol):
    """Reads a process that asks while it runs, and says how it takes the answers."""

    def reply(self, answered: Sequence[Question], *, refused: bool = False) -> bytes:
        """Return what the CLI takes on its standard input as the answers to one of its calls.

        `refused`: it is denied by rule, which no person has decided.
        """


class Agent(ABC):
    """One agent CLI, with all that is odd about it. What a CLI lacks is None or empty.

    Its parts are imported when they are asked for: whoever reads transcripts starts nothing.
    """

    name: str
    title: str
    capabilities: Capabilities
    install_hint: str
    env_patterns: tuple[str, ...] = ()
    """Variables, as shell globs, that this CLI may inherit beyond the ordinary ones."""
    env_names: tuple[str, ...] = ()
    """What the globs among them stand for, where variables have to be named one by one."""
    certified: "Certified | None" = None
    """The versions that were tried; None for an agent that has none (it is built in)."""
    defects: "tuple[Defect, ...]" = ()
    """What is known to be wrong with some of its versions."""
    prices: "PriceList | None" = None
    """What its provider takes for the models that it runs."""
    start_up: int = 0
    """Tokens of a lean child's first request, as measured on the loopback server."""
    private_home: str = ""
    """The folder, in a session's own, that takes the place of the CLI's home; "": it keeps that."""
    briefing: "BriefingFiles | None" = None
    """The project's files that it reads by itself."""
    tells_tools: bool = True
    """Whether its stream tells of tool calls; else whatever it does may have changed files."""
    secrets: tuple[str, ...] = ()
    """Where its CLI keeps logins and settings, from the user's home: nobody may allow these."""
    how_to_ask: str = (
        "Nobody will answer questions. If you cannot finish, say in your last message what is "
        "missing."
    )
    """The rule of a task's prompt about questions to the user."""
    co_author: str = ""
    """As whom its CLI signs commits, `Name <address>`; "": its CLI has no such name."""

    @property
    def records(self) -> "Records | None":
        """The transcripts that the CLI keeps."""
        return None

    @property
    def connection(self) -> "Connector | None":
        """How our tools are offered in its sessions."""
        return None

    @property
    def ending_hook(self) -> "Callable[[str, Mapping[str, str]], EndingHook] | None":
        """How the user's sessions run a command when they end, given it and the environment."""
        return None

    def retention(self, environ: Mapping[str, str]) -> "Retention | None":  # noqa: ARG002
        """Return for how long the CLI keeps the user's transcripts; None: it deletes none."""
        return None

    @property
    def dialect(self) -> "Dialect | None":
        """The wire format of its model API, by which the loopback server answers its CLI."""
        return None

    @abstractmethod
    def find(self, environ: Mapping[str, str]) -> Installed | None:
        """Return where the CLI is, by `environ["PATH"]`, without running it; None if nowhere.

        `version` may be left empty when only running the CLI would tell.
        """

    def relies_on(self, installed: Installed, environ: Mapping[str, str]) -> tuple[Relied, ...]:  # noqa: ARG002
        """Return the programs of this machine that its sessions need, without running any."""
        return ()

    @abstractmethod
    def login(self, environ: Mapping[str, str]) -> Login:
        """Return the login state without running the CLI and without spending anything."""

    def hosts(self, environ: Mapping[str, str]) -> tuple[str, ...]:  # noqa: ARG002
        """Return what the CLI has to reach, `host:port` each, for its model and to keep its login.

        It is all that there is for a session without a network. A base URL in the environment or in
        the user's settings counts, with the port that it names.
        """
        return ()

    @abstractmethod
    def headless(self, launch: Launch) -> Command:
        """Return the command that does `launch.prompt` and exits, in a least-privilege profile."""

    @abstractmethod
    def interactive(self, launch: Launch) -> Command:
        """Return the command that opens a session for a person at a terminal."""

    def state_files(self, launch: Launch, shared: Path) -> StateFiles:  # noqa: ARG002
        """Return what a headless session of its CLI needs of the user's files within a sandbox.

        `shared` is a folder of abreast's that all its confined sessions of this CLI can write.
        """
        return StateFiles()

    def find_session(self, launch: Launch, since: float) -> str:  # noqa: ARG002
        """Return the id of the CLI's session that can be resumed, by the CLI's own records.

        That is `launch.cli_session` when there is a record of it, else, of a CLI that takes no id
        from us, its newest session in `launch.worktree` since then (Unix seconds); "" for none.
        """
        return ""

    def redirect(self, url: str, home: Path) -> Redirect:  # noqa: ARG002
        """Return what makes this CLI use the model server at `url` with `home` as its HOME.

        Used by the demo, by tests and to certify an installed CLI: no account, no tokens.
        """
        return Redirect({"HOME": str(home)})

    @abstractmethod
    def reader(self) -> StreamReader:
        """Return a fresh reader for one process's output."""

    def takes(self, schema: Mapping[str, Any]) -> bool:  # noqa: ARG002
        """Return whether the CLI holds its answer to this JSON Schema; else the prompt must ask."""
        return False

    def letter(self, text: str) -> Letter:
        """Return `text` as this CLI's hooks have to print it; by default, as it is."""
        return Letter(text, text)
