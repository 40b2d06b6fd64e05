"""Everything abreast can do, as typed calls. The CLI parses, calls one of these, and renders.

Every call is synchronous and safe to use from threads; `abreast.aio` has the async twins. All
take `places` (default: the user's own state folder and database) as a keyword.

Errors are `abreast.errors.AbreastError`s with a message and, mostly, a `hint`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from abreast.agents.base import Capabilities, Command, Login
from abreast.model.session import LogEvent, Run, Session
from abreast.model.states import LandMode
from abreast.model.task import Plan
from abreast.places import Places

Progress = Callable[[Run], None]


@dataclass(frozen=True)
class AgentInfo:
    """One row of `abreast agents`. `path` is None when the CLI is not installed."""

    name: str
    title: str
    path: Path | None
    version: str
    login: Login | None
    capabilities: Capabilities
    install_hint: str


@dataclass(frozen=True)
class Removal:
    """One thing that `clean` removed, or would remove, or refuses to.

    `kept` says why it stays ("uncommitted changes", "not landed"), empty when it goes.
    """

    session: str
    worktree: Path
    bytes: int
    reason: str  # why it can go: "landed in main", "nothing was changed", "forced"
    kept: str
    rescue: str  # the ref that still holds its work


@dataclass(frozen=True)
class Terminal:
    """A command for the user's own terminal. After it ends, call `after(session)`."""

    session: Session
    command: Command
    cwd: Path


def read_plan(
    source: Path | None,
    prompts: Sequence[str] = (),
    *,
    repo: Path | None = None,
    agent: str = "",
    model: str = "",
    verify: str = "",
    setup: str = "",
    base: str = "",
    land: LandMode | None = None,
    max_parallel: int = 0,
) -> tuple[Plan, list[str]]:
    """Read a plan file, or make a plan of `prompts`, and check it against its repository.

    Keywords that are not empty override the plan's defaults. `repo` is by default the repository
    around the current folder. Returns the plan, its base resolved, and warnings for the user;
    raises `PlanError` with everything that is wrong.
    """
    raise NotImplementedError


def start(plan: Plan, *, places: Places | None = None) -> Run:
    """Record a checked plan as a run, make sure that a worker is there, and return at once."""
    raise NotImplementedError


def wait(
    run: str,
    *,
    progress: Progress | None = None,
    timeout: float | None = None,
    places: Places | None = None,
) -> Run:
    """Return the run once it is final (or `timeout` seconds have passed: then as it stands).

    `progress` is called with each changed state of the run, from this thread.
    """
    raise NotImplementedError


def run(plan: Plan, *, progress: Progress | None = None, places: Places | None = None) -> Run:
    """Start a plan and wait for it."""
    raise NotImplementedError


def runs(*, limit: int = 20, places: Places | None = None) -> list[Run]:
    """Return the newest runs, newest first; empty when nothing ever ran here."""
    raise NotImplementedError


def find_run(name: str = "", *, places: Places | None = None) -> Run:
    """Return the run of this id (a unique prefix will do), by default the newest one."""
    raise NotImplementedError


def sessions(run: str = "", *, places: Places | None = None) -> list[Session]:
    """Return the sessions of a run; with no name, of every run that is not final."""
    raise NotImplementedError


def find_session(name: str, *, places: Places | None = None) -> Session:
    """Return the session `run/task`; a bare task id means the newest run that has it."""
    raise NotImplementedError


def logs(name: str, *, follow: bool = False, places: Places | None = None) -> Iterator[LogEvent]:
    """Yield a session's story, oldest first; with `follow`, until it ends."""
    raise NotImplementedError


def stream(name: str, *, follow: bool = False, places: Places | None = None) -> Iterator[bytes]:
    """Yield the lines of a session's agent as its CLI printed them (its latest attempt)."""
    raise NotImplementedError


def diff(name: str, *, stat: bool = False, places: Places | None = None) -> str:
    """Return a session's changes against its base as git prints them, uncommitted ones included."""
    raise NotImplementedError


def stop(name: str, *, places: Places | None = None) -> list[Session]:
    """Stop a run or a session, and return the sessions this reached.

    Returns once no process of theirs is left; what they did so far is kept under a ref.
    """
    raise NotImplementedError


def resume(run: str, *, places: Places | None = None) -> Run:
    """Go on with a run: whatever is not done is queued again, in its own CLI session if it can."""
    raise NotImplementedError


def retry(name: str, *, places: Places | None = None) -> Run:
    """Queue one session that is final and not done again, afresh from its base."""
    raise NotImplementedError


def attach(name: str, *, places: Places | None = None) -> Terminal:
    """Return the command that opens a session interactively, by its exact id, in its worktree."""
    raise NotImplementedError


def open_session(
    name: str,
    agent: str = "claude",
    *,
    repo: Path | None = None,
    base: str = "HEAD",
    model: str = "",
    places: Places | None = None,
) -> Terminal:
    """Make a fresh worktree and return the command for an interactive session in it."""
    raise NotImplementedError


def close_session(name: str, *, places: Places | None = None) -> Session:
    """Record that the person has left an interactive session: commit what there is."""
    raise NotImplementedError


def land(
    name: str,
    mode: LandMode = LandMode.MERGE,
    *,
    target: str = "",
    progress: Progress | None = None,
    places: Places | None = None,
) -> Run:
    """Land a session, or every finished session of a run, one after another, and wait for it."""
    raise NotImplementedError


def clean(
    names: Sequence[str] = (),
    *,
    remove: bool = False,
    force: bool = False,
    places: Places | None = None,
) -> list[Removal]:
    """Remove worktrees whose work has landed; by default only tell what would go.

    Work that is not in the target stays unless `force`, and even then under a ref.
    """
    raise NotImplementedError


def agents(environ: Mapping[str, str] | None = None) -> list[AgentInfo]:
    """Return every agent abreast knows, with what is installed and what each can do."""
    raise NotImplementedError


def demo(
    agent: str = "scripted", *, keep: bool = False, progress: Progress | None = None
) -> tuple[Run, Path]:
    """Run three tasks on a throw-away repository, verified and landed; returns the run and it.

    The repository and the state of the run are gone afterwards unless `keep`.

    With `claude`, `codex` or `gemini` the real CLI runs, against the built-in loopback model.
    """
    raise NotImplementedError
