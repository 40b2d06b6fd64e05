"""Runs and sessions as the store knows them: the read model that every face shares."""

from dataclasses import dataclass, field

from abreast.model.states import LandMode, LandState, RunState, SessionKind, SessionState
from abreast.model.usage import Usage

BY_HAND = "worked on by hand"
"""The final message of a session that a person went on with, which no agent has said."""


@dataclass(frozen=True)
class Session:
    """One agent at work on one task in one worktree on one branch.

    Times are Unix seconds. `id` is `<run>/<task>`. `reason` says why it ended as it did, `hint`
    what to do about it.
    """

    id: str
    run: str
    task: str
    agent: str
    state: SessionState
    kind: SessionKind = SessionKind.TASK
    produces: str = ""
    attempt: int = 1
    base_sha: str = ""
    branch: str = ""
    worktree: str = ""
    directory: str = ""
    cli_session: str = ""
    model: str = ""
    started: float | None = None
    ended: float | None = None
    last_action: str = ""
    turns: int = 0
    usage: Usage = field(default_factory=Usage)
    files: tuple[str, ...] = ()
    commit: str = ""
    reason: str = ""
    hint: str = ""
    final_message: str = ""
    landing: LandState = LandState.NONE
    landed: str = ""  # the commit that brought it into the target, or the pull request's address
    needs: tuple[str, ...] = ()
    parent: str = ""  # of a child: the session that it was started for, as far as that is known


@dataclass(frozen=True)
class Run:
    """One execution of a plan, with its sessions in the plan's order."""

    id: str
    repo: str
    base: str
    base_sha: str
    target: str
    state: RunState
    land: LandMode
    created: float
    ended: float | None = None
    max_parallel: int = 1
    generation: int = 1  # counts the requests to work on it: run, resume, retry, land
    source: str = ""
    note: str = ""  # anything the user should know: uncommitted changes, a parked landing
    sessions: tuple[Session, ...] = ()


@dataclass(frozen=True)
class LogEvent:
    """One line of a run's story."""

    at: float
    run: str
    session: str
    kind: str
    text: str
