"""The states of runs, sessions and landings, and which of them are final."""

from enum import StrEnum


class SessionState(StrEnum):
    """Where a session stands. Final states say how it ended; `DONE` is proven, never claimed."""

    QUEUED = "queued"  # waits for its needs or for a free slot
    PREPARING = "preparing"  # its worktree is being made
    SETUP = "setup"  # its setup command runs
    RUNNING = "running"  # its agent is at work
    VERIFYING = "verifying"  # its verify command runs
    COMMITTING = "committing"
    DONE = "done"  # clean worktree, commit on its branch, checks passed on that commit
    FAILED = "failed"  # the agent, the setup or the verify command failed
    BLOCKED = "blocked"  # the agent was denied a tool, or asked something nobody could answer
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


class LandMode(StrEnum):
    """What happens with the commits of a run's sessions."""

    NONE = "none"
    MERGE = "merge"
    PR = "pr"


class SessionKind(StrEnum):
    """Whose a session is: a plan's, a person's own at a terminal, or a parent session's child."""

    TASK = "task"
    OPEN = "open"
    CHILD = "child"
