"""Tasks that have not started, and that their plan lets go to another agent meanwhile."""

from collections.abc import Mapping, Sequence

from abreast.agents import agent_named
from abreast.engine.working.session.context import Engine, plan_of
from abreast.model.agent_queue import QueueState
from abreast.model.hold import HoldKind
from abreast.model.session import SessionState

MOVES = frozenset({HoldKind.QUOTA, HoldKind.BILLING, HoldKind.AUTH})
"""What keeps an agent from working for long: an outage is waited for."""


def move_waiting(
    engine: Engine, run: str, agents: Sequence[str], known: Mapping[str, str]
) -> dict[str, str]:
    """Give what has not started of these agents to those that the plan names in `fallback`.

    Returns the tasks that are another agent's than is `known`, with that: safe to repeat. An agent
    whose own queue is closed gets none.
    """
    tasks = {task.id: task for task in plan_of(engine, run).tasks if task.fallback}
    if not agents or not tasks:
        return {}
    moved = {}
    for session in engine.reader.sessions(run):
        task = tasks.get(session.task)
        waits = session.state is SessionState.QUEUED and session.attempt == 1
        if task is None or not waits:
            continue
        if session.agent not in agents:
            if session.agent != known[session.task]:  # by this step, before it was killed
                moved[session.task] = session.agent
            continue
        others = (name for name in task.fallback if name not in agents)
        free = (n for n in others if engine.reader.agent_queue(n).state is QueueState.OPEN)
        if (name := next(free, "")) and engine.store.give(
            session.id, name, _why(session.agent, name)
        ):
            moved[session.task] = name
    return moved


def _why(own: str, other: str) -> str:
    title = agent_named(other).title
    return f"{agent_named(own).title} may not start: given to {title}, whose account pays"
