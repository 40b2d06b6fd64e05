"""Which tasks may start now: order, shared resources, the parallel limit, dead quotas. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from abreast.engine.common.ending import STOPPED, Ending
from abreast.model.cause import Cause
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

    def moved(self, tasks: Mapping[str, str]) -> "Pace":
        """Return the pace with tasks given to other agents."""
        return replace(self, agents={**self.agents, **tasks}) if tasks else self

    def at(self, task: str, attempt: int) -> "Pace":
        """Return the pace with this task at another attempt."""
        return replace(self, attempts={**self.attempts, task: attempt})


@dataclass(frozen=True)
class RunProgress:
    """Which tasks run and which have ended, and what stops the line for an agent."""

    running: frozenset[str] = frozenset()
    endings: Mapping[str, SessionState] = field(default_factory=dict)
    dead: Mapping[str, Ending] = field(default_factory=dict)  # by agents: no more of it start
    proven: frozenset[str] = frozenset()  # agents of which a session has had a reply

    def started(self, *tasks: str) -> "RunProgress":
        return replace(self, running=self.running.union(tasks))

    def queued_again(self, *tasks: str) -> "RunProgress":
        """Return the progress with sessions that have ended and wait for their next attempt."""
        return replace(self, running=self.running.difference(tasks))

    def told(self, admitted: "Admitted") -> "RunProgress":
        """Return the progress with what was learned of agents when they were asked for."""
        proven, dead = self.proven.union(admitted.proven), {**self.dead, **admitted.ends}
        return replace(self, proven=proven, dead=dead)

    def over(self, pace: Pace) -> bool:
        """Return whether every task has ended."""
        return self.endings.keys() >= pace.agents.keys()

    def ended(self, task: str, ending: Ending, agent: str = "") -> "RunProgress":
        """Return the progress with a session ended; some endings stop all tasks of its `agent`."""
        stops = bool(agent) and ending.cause in LINE_STOPS
        dead = {agent: not_started_after(ending)} if stops else {}
        return replace(
            self,
            running=self.running - {task},
            endings={**self.endings, task: ending.state},
            dead={**self.dead, **dead},
        )


@dataclass(frozen=True)
class Turn:
    """Whose turn it is: `agents` of which a task could start, for all that the plan says.

    Each has those of its tasks that are at work. `attempts` are those of all that are at work;
    `proven` are agents of which a session has had a reply since the run began to work.
    """

    agents: Mapping[str, tuple[str, ...]]
    attempts: Mapping[str, int]
    proven: frozenset[str]
    of: Mapping[str, str] = field(default_factory=dict)  # the agent of every task
    children: bool = False  # they answer questions of a session that waits for them


@dataclass(frozen=True)
class Admitted:
    """How many more sessions of each agent may start now: None as many as one likes.

    `stopping`: none, since the user has asked the whole run to stop. `ends` has the agents of which
    none will start before a person has done something, and why. `proven` is as in `Turn`.
    `moved` has tasks that were given to other agents, with these.
    """

    stopping: bool = False
    room: Mapping[str, int | None] = field(default_factory=dict)
    ends: Mapping[str, Ending] = field(default_factory=dict)
    proven: tuple[str, ...] = ()
    moved: Mapping[str, str] = field(default_factory=dict)


def in_turn(pace: Pace, progress: RunProgress) -> Turn:
    """Return whose turn it is; no agent's when there is no place."""
    attempts = {task: pace.attempts[task] for task in sorted(progress.running)}
    held = {r for task in progress.running for r in pace.resources[task]}
    agents: dict[str, tuple[str, ...]] = {}
    free = len(attempts) < pace.max_parallel
    for task, agent in pace.agents.items():
        turn = free and agent not in agents and _has_turn(task, pace, progress)
        # What waits for an agent of which no more start may be given to another one.
        lost = agent in progress.dead and task not in progress.running | progress.endings.keys()
        if lost or (turn and held.isdisjoint(pace.resources[task])):
            agents[agent] = tuple(one for one in attempts if pace.agents[one] == agent)
    return Turn(agents, attempts, progress.proven, pace.agents, bool(pace.children))


def _has_turn(task: str, pace: Pace, progress: RunProgress) -> bool:
    """Return whether a task has neither begun nor ended, and all has that it waits for."""
    if task in progress.running or task in progress.endings:
        return False
    needs_met = all(progress.endings.get(n) is SessionState.DONE for n in pace.needs[task])
    return needs_met and pace.apart(task, progress)


def next_tasks(
    pace: Pace, progress: RunProgress, admitted: Admitted = Admitted(), *, stopping: bool
) -> tuple[list[str], dict[str, Ending]]:
    """Return the tasks to start now, and those that will never start with the reason why."""
    ready: list[str] = []
    lost: dict[str, Ending] = {}
    room = dict(admitted.room)
    held = {r for task in progress.running for r in pace.resources[task]}
    # Who tries whether an agent goes on should be none that was sent away for itself.
    few = any(most is not None for most in room.values())
    order = sorted(pace.agents, key=lambda one: pace.attempts[one] if few else 0)
    for task in order:
        if task in progress.running or task in progress.endings:
            continue
        if ending := _lost(task, pace, progress, stopping=stopping):
            lost[task] = ending
            continue
        agent, free = pace.agents[task], len(progress.running) + len(ready) < pace.max_parallel
        left = room.get(agent)
        if not free or left == 0 or not _has_turn(task, pace, progress):
            continue
        if held.isdisjoint(pace.resources[task]):
            ready.append(task)
            held.update(pace.resources[task])
            room[agent] = left if left is None else left - 1
    return ready, lost


def _lost(task: str, pace: Pace, progress: RunProgress, *, stopping: bool) -> Ending | None:
    if stopping:
        return STOPPED
    ended = progress.endings
    failed = [n for n in pace.needs[task] if n in ended and ended[n] is not SessionState.DONE]
    if failed:
        return Ending(SessionState.SKIPPED, f"needs {failed[0]}, which is {ended[failed[0]]}")
    return progress.dead.get(pace.agents[task])


def not_started_after(ending: Ending) -> Ending:
    """Return how those end that do not start, because another of their agent has ended so."""
    first = ending.hint.partition("; then:")[0] if ending.cause is not Cause.SESSION_LIMIT else ""
    whole = "abreast resume" in first  # it says how to go on itself
    hint = first if whole else f"{first}; then: abreast resume RUN" if first else _SETTLED
    return Ending(SessionState.BLOCKED, f"not started: {ending.reason}", hint, ending.cause)


_SETTLED = "once that is settled: abreast resume RUN"
