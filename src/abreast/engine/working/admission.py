"""Which sessions may start now: the one place where the schedule asks for reasons not to.

A reason is a function in `REASONS`. It is asked for an agent of a run whose tasks have their turn,
again and again while it says no, so it must be cheap.
"""

import asyncio
from collections.abc import Callable, Sequence

from abreast.engine.working import low_disk
from abreast.engine.working.admission_values import FREE, Admission, Applicant
from abreast.engine.working.agent_queues import agent_queue, canary, not_started
from abreast.engine.working.allowance import day_hold, memory_hold, run_hold
from abreast.engine.working.fallback import MOVES, move_waiting
from abreast.engine.working.schedule import Admitted, Turn
from abreast.engine.working.session.context import Engine
from abreast.model.hold import Hold, HoldKind

LOOK = 0.25
"""Seconds between looks at whether a reason not to start sessions is gone."""


Reason = Callable[[Applicant], Admission]


def _limits(asked: Applicant) -> Admission:
    hold = run_hold(asked.engine, asked.run) or day_hold(asked.engine, asked.run)
    return Admission(0, hold) if hold else FREE


def _memory(asked: Applicant) -> Admission:
    hold = memory_hold(asked.engine, len(asked.running))
    return Admission(0, hold) if hold else FREE


def _disk(asked: Applicant) -> Admission:
    found = low_disk.hold_of(asked.engine, asked.run)
    return FREE if found is None else Admission(0, found)


REASONS: tuple[Reason, ...] = (agent_queue, canary, _limits, _memory, _disk)


def admission(asked: Applicant, reasons: Sequence[Reason] = REASONS) -> Admission:
    """Return what the strictest of all reasons says; one that only a person can end comes first."""
    said = [one for reason in reasons if (one := reason(asked)).most is not None]
    return min(said, key=_strictness, default=FREE)


def _strictness(one: Admission) -> tuple[bool, int]:
    return not (one.hold and one.hold.ends), one.most or 0


async def admit(engine: Engine, run: str, generation: int, turn: Turn) -> Admitted:
    """Wait until sessions of an agent in `turn` may start, or until something else has happened.

    That is: one at work has ended, the run is to stop, or there is a newer request for it. What is
    waited for is written to the sessions that wait.
    """
    known, told = set(turn.proven), dict[str, Hold | None]()
    while True:
        found, latest = await asyncio.to_thread(_look, engine, run, turn, known, told)
        if found is not None:
            return found
        await asyncio.sleep(LOOK)
        if latest != generation:  # whoever works for that request cancels this one
            return Admitted(room=dict.fromkeys(turn.agents, 0))


def _look(
    engine: Engine, run: str, turn: Turn, known: set[str], told: dict[str, Hold | None]
) -> tuple[Admitted | None, int]:
    """Ask once; None: nothing may start, and nothing else has happened. The number is the request.

    Agents that have proven to work are added to `known`, what holds up the others to `told`.
    """
    work, agents = engine.reader.work(run, list(turn.attempts)), turn.agents
    replied = {task for task, one in work.tasks.items() if one.ended or one.turns}
    known |= {agent for agent, tasks in agents.items() if replied.intersection(tasks)}
    proven = tuple(sorted(known))
    if work.stopping or not agents:
        return Admitted(stopping=work.stopping, proven=proven), work.generation
    said = {
        agent: admission(
            Applicant(
                engine,
                run,
                agent,
                tasks,
                agent in known,
                any(task in work.tasks and not work.tasks[task].begun for task in tasks),
                turn.children,
            )
        )
        for agent, tasks in agents.items()
    }
    for agent, one in said.items():
        hold = one.hold if one.most == 0 else None  # of those that start next, nobody needs to know
        if told.setdefault(agent, _EARLIER if agent in work.held else None) != hold:
            engine.store.hold(run, agent, hold)
            told[agent] = hold
    closed = [agent for agent, one in said.items() if one.hold and one.hold.kind in MOVES]
    if moved := move_waiting(engine, run, closed, turn.of):
        return Admitted(room=dict.fromkeys(agents, 0), moved=moved, proven=proven), work.generation
    room = {agent: one.most for agent, one in said.items()}
    ends = {a: not_started(one.hold) for a, one in said.items() if one.hold and one.hold.ends}
    ended = any(
        task in work.tasks and (work.tasks[task].ended or work.tasks[task].attempt > attempt)
        for task, attempt in turn.attempts.items()
    )
    if ends or ended or any(most != 0 for most in room.values()):
        return Admitted(room=room, ends=ends, proven=proven), work.generation
    return None, work.generation


_EARLIER = Hold(HoldKind.QUOTA, "")  # on record, of whatever kind
