"""Runs and sessions as every face of abreast shows them: states, times, and who works on them."""

from dataclasses import dataclass, field
from enum import StrEnum

from abreast.model.cause import Cause
from abreast.model.conflicts import WorkConflict
from abreast.model.hold import Hold
from abreast.model.moment import Moment
from abreast.model.usage import Usage


class SessionState(StrEnum):
    """Where a session stands. Final states say how it ended; `DONE` is proven, never claimed."""

    QUEUED = "queued"  # waits for other tasks or for a free slot
    PREPARING = "preparing"  # its worktree is being made
    SETUP = "setup"  # its setup command runs
    RUNNING = "running"  # its agent is at work
    VERIFYING = "verifying"  # its verify command runs
    COMMITTING = "committing"
    DONE = "done"  # clean worktree, commit on its branch, checks passed on that commit
    FAILED = "failed"  # the agent, the setup or the verify command failed
    BLOCKED = "blocked"  # the agent was denied a tool, or waits for a person's answer
    STOPPED = "stopped"  # by the user or by a limit; what there was is kept
    UNKNOWN = "unknown"  # it ended without saying how; what there was is kept
    SKIPPED = "skipped"  # a session it needs did not end as done

    @property
    def final(self) -> bool:
        return self in FINAL_STATES


FINAL_STATES = frozenset(
    {
        SessionState.DONE,
        SessionState.FAILED,
        SessionState.BLOCKED,
        SessionState.STOPPED,
        SessionState.UNKNOWN,
        SessionState.SKIPPED,
    }
)


class RunState(StrEnum):
    """Where a run stands; `DONE` means every task of it is done (and landed, if so asked)."""

    QUEUED = "queued"
    OPEN = "open"  # a person is at work in its session; the worker leaves it alone
    RUNNING = "running"
    LANDING = "landing"
    DONE = "done"
    FAILED = "failed"  # at least one session did not end as done, or did not land
    STOPPED = "stopped"

    @property
    def final(self) -> bool:
        return self in {RunState.DONE, RunState.FAILED, RunState.STOPPED}


class LandState(StrEnum):
    """Where a session's commit stands on its way into the target branch."""

    NONE = "none"
    QUEUED = "queued"
    LANDED = "landed"  # the target contains it
    READY = "ready"  # merged and tested, but the target's checkout has overlapping edits
    BOUNCED = "bounced"  # conflict or red verify; the target was left alone
    PROPOSED = "proposed"  # a pull request is open
    UNDONE = "undone"  # it had landed, and what reverts it has landed since


class LandMode(StrEnum):
    """What happens with the commits of a run's sessions."""

    NONE = "none"
    MERGE = "merge"
    PR = "pr"
    REVIEW = "review"  # a person looks at each, and decides

    @property
    def at_once(self) -> bool:
        """Whether they land as soon as they are done."""
        return self in {LandMode.MERGE, LandMode.PR}


class LandStyle(StrEnum):
    """What a session's work looks like in the target's history."""

    SQUASH = "squash"  # one commit on the tip of the target
    MERGE = "merge"  # its commit as it is, joined to the target by a merge
    REBASE = "rebase"  # the commits that its agent made, one by one on the tip of the target


class LandOrder(StrEnum):
    """In which order a queue lands what nobody waits for."""

    FIT = "fit"  # fewest conflicts with the others, then the smallest, then the oldest run's
    AS_GIVEN = "as-given"  # as in the plan


class LandTests(StrEnum):
    """What of a batch is tested before it lands."""

    TIP = "tip"  # the last commit, which holds all of them
    EACH = "each"  # every commit


class SessionKind(StrEnum):
    """Whose a session is: a plan's, a person's own at a terminal, or a parent session's child."""

    TASK = "task"
    OPEN = "open"
    CHILD = "child"


BY_HAND = "worked on by hand"
"""The final message of a session that a person went on with, which no agent has said."""


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class Attempt:
    """What an attempt at a session has come to so far; the next attempt begins without it.

    Times are Unix seconds. `reason` says why it ended as it did, `hint` what to do about it.
    """

    started: float | None = None
    ended: float | None = None
    last_action: str = ""
    turns: int = 0
    files: tuple[str, ...] = ()
    added: int | None = None  # lines, in `files`; None: not known
    deleted: int | None = None
    commit: str = ""
    reason: str = ""
    hint: str = ""
    final_message: str = ""
    landing: LandState = LandState.NONE
    landed: str = ""  # the commit that brought it into the target, or the pull request's address
    outside: tuple[str, ...] = ()  # of `files`, those that lie outside the declared paths
    conflicts: tuple[WorkConflict, ...] = ()  # as a worker has seen them last
    cause: Cause = Cause.NONE  # why it has not ended well
    held: Hold | None = None  # why it did not start when it was its turn
    dropped: tuple[str, ...] = ()  # lines of the target that its repair has not kept: `path: line`


# Only what it becomes part of is made: methods of its own would be half a millisecond of a start.
@dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False)
class Changeable(Attempt):
    """All that changes while a session is worked on. The next attempt goes on with these."""

    base_sha: str = ""
    branch: str = ""
    worktree: str = ""
    directory: str = ""
    cli_session: str = ""
    model: str = ""
    repairs: int = 0  # that have begun
    setbacks: int = 0  # how often in a row its provider has sent it away
    mending: str = ""  # the merge that the latest repair began from, until what it made has landed


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
    after: tuple[str, ...] = ()
    parent: str = ""  # of a child: the session that it was started for, as far as that is known
    started_tick: str = ""
    ended_tick: str = ""
    moved: float | None = None  # when it came into its state and landing; None: not known
    moved_tick: str = ""
    most_repairs: int = 0

    @property
    def repairing(self) -> str:
        """Which repair of how many goes on, as `1 of 1`; empty when none does."""
        under_way = self.mending and not self.state.final
        return f"{self.repairs} of {self.most_repairs}" if under_way else ""

    @property
    def began(self) -> Moment | None:
        return None if self.started is None else Moment(self.started, self.started_tick)

    @property
    def over(self) -> Moment | None:
        return None if self.ended is None else Moment(self.ended, self.ended_tick)

    @property
    def since(self) -> Moment | None:
        """When it came into its state and landing, as far as that is known."""
        known = None if self.moved is None else Moment(self.moved, self.moved_tick)
        return known or self.over or self.began

    @property
    def waits_for(self) -> tuple[str, ...]:
        """The tasks that must have ended before it starts, those it needs first."""
        return tuple(dict.fromkeys((*self.needs, *self.after)))

    @property
    def lands(self) -> bool:
        """Whether it is done with a commit that nobody has tried to land yet."""
        fresh = self.landing in {LandState.NONE, LandState.QUEUED}
        return self.state is SessionState.DONE and bool(self.commit) and fresh

    @property
    def goes_on_by(self) -> str:
        """The command that goes on with it once it has ended."""
        own = self.kind is SessionKind.OPEN
        return f"abreast attach {self.id}" if own else f"abreast resume {self.run}"

    @property
    def advice(self) -> str:
        """What to do about its end: its hint, and a command to go on by where that names none."""
        if not self.hint or any(word in self.hint for word in ("abreast ", "git ", "://")):
            return self.hint
        done = self.state is SessionState.DONE
        # What a hook or verify says is to be mended in its work; all else around it.
        own = f"abreast {'attach' if 'its output' in self.hint else 'land'} {self.id}"
        return f"{self.hint}; then: {own if done else self.goes_on_by}"

    @property
    def landed_name(self) -> str:
        """By what it has landed: the beginning of a commit's id, or a request's whole address."""
        return self.landed if "://" in self.landed else self.landed[:12]

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
    land_order: LandOrder = LandOrder.FIT
    land_batch: int = 1  # at most so many are landed together
    land_tests: LandTests = LandTests.TIP
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

    @property
    def told(self) -> str:
        """What a person is told of it: what the CLI calls its conversation helps nobody."""
        return "its conversation begins" if self.kind == "started" else self.text


class Attendance(StrEnum):
    """Who works on a run. In this order, where more than one does."""

    NOT_NEEDED = "not needed"  # it has ended, or is a person's own
    WORKER = "worker"  # a worker lives here, and does what there is to do
    AGENT = "agent"  # no worker; a job of it goes on under its runner, which starts one at its end
    NOBODY = "nobody"  # nothing will happen until somebody calls: `abreast watch`, `resume` …


@dataclass(frozen=True)
class Presence:
    """Who works on a run, and when something of it was last seen to live (Unix seconds).

    The latter only where nobody does: from then on its time does not count.
    """

    who: Attendance
    last: float | None = None

    def at(self, now: Moment) -> Moment:
        """Return up to when the run's time counts: now, or the last sign of life."""
        return now if self.last is None else Moment(self.last)
