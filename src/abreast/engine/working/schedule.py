"""Which tasks may start now: order, shared resources, the parallel limit, dead quotas. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from abreast.engine.common.ending import STOPPED, Ending
from abreast.model.events import Cause
from abreast.model.session import SessionState

# After one of these no further session of the same agent has a chance: stop the line at once.
LINE_STOPS = {Cause.AUTH, Cause.BILLING, Cause.SESSION_LIMIT}


@dataclass(frozen=True)
class Pace:
    """What does not change while a run runs. Keys are task ids, in the plan's order."""

    max_parallel: int
    agents: Mapping[str, str]
    needs: Mapping[str, tuple[str, ...]]
    resources: Mapping[str, tuple[str, ...]]
    attempts: Mapping[str, int]
    children: frozenset[str] = frozenset()  # those that answer a question under a contract
    after: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def apart(self, task: str, progress: "RunProgress") -> bool:
        """Whether all that `task` comes after has ended, and nothing runs that comes after it.

        The second is so where a task is tried once more.
        """
        follow = {other for other in progress.running if task in self.after.get(other, ())}
        return not follow and progress.endings.keys() >= set(self.after.get(task, ()))

    def at(self, task: str, attempt: int) -> "Pace":
        """Return the pace with this task at another attempt."""
        return replace(self, attempts={**self.attempts, task: attempt})


@dataclass(frozen=True)
class RunProgress:
    """Which tasks run and which have ended, and what stops the line for an agent."""

    running: frozenset[str] = frozenset()
    endings: Mapping[str, SessionState] = field(default_factory=dict)
    dead: Mapping[str, str] = field(default_factory=dict)  # agent -> why no more of it start

    def started(self, *tasks: str) -> "RunProgress":
        return replace(self, running=self.running.union(tasks))

    def ended(self, task: str, ending: Ending, agent: str = "") -> "RunProgress":
        """Return the progress with a session ended; some endings stop all tasks of its `agent`."""
        dead = {agent: ending.reason} if agent and ending.cause in LINE_STOPS else {}
        return replace(
            self,
            running=self.running - {task},
            endings={**self.endings, task: ending.state},
            dead={**self.dead, **dead},
        )


def next_tasks(
    pace: Pace, progress: RunProgress, *, stopping: bool
) -> tuple[list[str], dict[str, Ending]]:
    """Return the tasks to start now, and those that will never start with the reason why."""
    ready: list[str] = []
    lost: dict[str, Ending] = {}
    held = {r for task in progress.running for r in pace.resources[task]}
    for task in pace.agents:
        if task in progress.running or task in progress.endings:
            continue
        if ending := _lost(task, pace, progress, stopping=stopping):
            lost[task] = ending
            continue
        needs_met = all(progress.endings.get(n) is SessionState.DONE for n in pace.needs[task])
        turn = needs_met and pace.apart(task, progress)
        free = len(progress.running) + len(ready) < pace.max_parallel
        if turn and free and held.isdisjoint(pace.resources[task]):
            ready.append(task)
            held.update(pace.resources[task])
    return ready, lost


def _lost(task: str, pace: Pace, progress: RunProgress, *, stopping: bool) -> Ending | None:
    if stopping:
        return STOPPED
    ended = progress.endings
    failed = [n for n in pace.needs[task] if n in ended and ended[n] is not SessionState.DONE]
    if failed:
        return Ending(SessionState.SKIPPED, f"needs {failed[0]}, which is {ended[failed[0]]}")
    if why := progress.dead.get(pace.agents[task]):
        return Ending(
            SessionState.BLOCKED,
            f"not started: {why}",
            "once that is settled: abreast resume RUN",
        )
    return None
