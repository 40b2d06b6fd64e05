"""Runs and sessions as the store knows them: the read model that every face shares."""

from dataclasses import dataclass, field

from abreast.model.moment import Moment
from abreast.model.states import LandMode, LandState, RunState, SessionKind, SessionState
from abreast.model.usage import Usage

BY_HAND = "worked on by hand"
"""The final message of a session that a person went on with, which no agent has said."""


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """What an attempt at a session has come to so far; the next attempt begins without it.

    Times are Unix seconds. `reason` says why it ended as it did, `hint` what to do about it.
    """

    started: float | None = None
    ended: float | None = None
    last_action: str = ""
    turns: int = 0
    files: tuple[str, ...] = ()
    commit: str = ""
    reason: str = ""
    hint: str = ""
    final_message: str = ""
    landing: LandState = LandState.NONE
    landed: str = ""  # the commit that brought it into the target, or the pull request's address


@dataclass(frozen=True, kw_only=True)
class Changeable(Attempt):
    """All that changes while a session is worked on. The next attempt goes on with these."""

    base_sha: str = ""
    branch: str = ""
    worktree: str = ""
    directory: str = ""
    cli_session: str = ""
    model: str = ""


@dataclass(frozen=True)
class Session(Changeable):
    """One agent at work on one task in one worktree on one branch.

    `id` is `<run>/<task>`. Its times have a tick each for measuring (see `Moment`).
    """

    id: str
    run: str
    task: str
    agent: str
    state: SessionState
    kind: SessionKind = SessionKind.TASK
    produces: str = ""
    attempt: int = 1
    usage: Usage = field(default_factory=Usage)
    needs: tuple[str, ...] = ()
    parent: str = ""  # of a child: the session that it was started for, as far as that is known
    started_tick: str = ""
    ended_tick: str = ""

    @property
    def began(self) -> Moment | None:
        return None if self.started is None else Moment(self.started, self.started_tick)

    @property
    def over(self) -> Moment | None:
        return None if self.ended is None else Moment(self.ended, self.ended_tick)

    @property
    def lands(self) -> bool:
        """Whether it is done with a commit that nobody has tried to land yet."""
        fresh = self.landing in {LandState.NONE, LandState.QUEUED}
        return self.state is SessionState.DONE and bool(self.commit) and fresh

    def took(self, now: Moment) -> float | None:
        """Return the seconds it has been at work, until its end or `now`; None: not started."""
        began = self.began
        return None if began is None else (self.over or now).since(began)


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
    created_tick: str = ""
    common_dir: str = ""  # the repository's own folder, which stays when a worktree of it goes

    @property
    def began(self) -> Moment:
        return Moment(self.created, self.created_tick)

    def took(self, now: Moment) -> float:
        """Return the seconds from its start to the end of its last session, or to `now`.

        What came later (a landing asked for the next day) is not the work's time.
        """
        began = self.began
        if not self.state.final:
            return now.since(began)
        ends = [session.over.since(began) for session in self.sessions if session.over]
        return max(ends, default=(now if self.ended is None else Moment(self.ended)).since(began))


@dataclass(frozen=True)
class LogEvent:
    """One line of a run's story."""

    at: float
    run: str
    session: str
    kind: str
    text: str
