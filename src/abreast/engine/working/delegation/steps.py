"""The stages of a child's session as DBOS steps: its place, its rounds, its deliverable."""

import asyncio
from dataclasses import dataclass
from functools import partial

from abreast.engine.common.ending import Ending, ending_of_agent
from abreast.engine.common.layout import ROUNDS
from abreast.engine.working.agent_queues import after_agent
from abreast.engine.working.delegation import deliver, rounds
from abreast.engine.working.session import preparing
from abreast.engine.working.session.context import Engine, SessionContext
from abreast.engine.working.session.steps import blocking, bounded, guarded, run_cli
from abreast.model.session import SessionState
from abreast.model.task import Isolation
from abreast.store.rows import SessionUpdate


@blocking
def prepare(context: SessionContext) -> Ending | None:
    """Make a child's place: the parent's tree, its state noted, or a worktree of its own."""
    if rounds.contract_of(context).isolation is Isolation.WORKTREE:
        return preparing.prepare(context)
    change = SessionUpdate(
        state=SessionState.PREPARING,
        base_sha=context.plan.base_sha,
        directory=str(context.layout.directory),
    )
    context.update(change)
    deliver.mark_tree(context)
    return None


@dataclass(frozen=True)
class Round:
    """Whether to ask `again`, and the `ending` of a child that got no further."""

    again: bool
    ending: Ending | None


async def ask(engine: Engine, session: str, attempt: int, number: int) -> Round:
    """Ask the child, for the `number`-th time from 0."""
    again = False

    async def body(context: SessionContext) -> Ending | None:
        nonlocal again
        result = await run_cli(context, ROUNDS[number], partial(rounds.order, number))
        await asyncio.to_thread(after_agent, context, result, ending_of_agent(result))
        if number + 1 < len(ROUNDS):
            again = await asyncio.to_thread(rounds.to_repair, context)
        return None

    ending = await guarded(engine, session, attempt, body)
    return Round(again and ending is None, ending)


async def conclude(
    engine: Engine, session: str, attempt: int, given: Ending | None
) -> Ending | None:
    """Write the deliverable, whatever there is to deliver, and return the ending."""

    async def body(context: SessionContext) -> Ending | None:
        return await bounded(lambda: deliver.deliver(context, given))

    return await guarded(engine, session, attempt, body, although_stopping=True)
