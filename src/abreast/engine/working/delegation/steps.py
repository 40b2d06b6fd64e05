"""The stages of a child's session as DBOS steps: its place, its rounds, its deliverable."""

import asyncio

from abreast.engine.common.ending import Ending, load_ending
from abreast.engine.common.layout import ROUNDS
from abreast.engine.working.delegation import deliver, rounds
from abreast.engine.working.durable import Json
from abreast.engine.working.session import agent, preparing
from abreast.engine.working.session.bounded import bounded
from abreast.engine.working.session.context import SessionContext
from abreast.engine.working.session.jobs import run_job
from abreast.engine.working.session.steps import blocking, guarded
from abreast.model.contract import Isolation
from abreast.model.states import SessionState
from abreast.store.changes import Change


async def prepare(session: str, attempt: int) -> Json | None:
    """Make a child's place: the parent's tree, its state noted, or a worktree of its own."""
    return await blocking(session, attempt, _prepare)


def _prepare(context: SessionContext) -> Ending | None:
    if rounds.contract_of(context).isolation is Isolation.WORKTREE:
        return preparing.prepare(context)
    change = Change(
        state=SessionState.PREPARING,
        base_sha=context.plan.base_sha,
        directory=str(context.layout.directory),
    )
    context.engine.store.update_session(context.session.id, change)
    deliver.mark_tree(context)
    return None


async def ask(session: str, attempt: int, number: int) -> Json:
    """Ask the child, for the `number`-th time from 0; tell whether to ask again, or the ending."""
    repair = False

    async def body(context: SessionContext) -> Ending | None:
        nonlocal repair
        store = context.engine.store
        store.update_session(context.session.id, Change(state=SessionState.RUNNING))

        folder = context.layout.job(ROUNDS[number])
        await run_job(folder, lambda: rounds.order(context, number), progress=agent.noting(context))
        repair = await asyncio.to_thread(rounds.to_repair, context)
        if repair:
            found = await asyncio.to_thread(rounds.rounds_of, context)
            told = "; ".join(found.judged.problems[:3]) if found else ""
            store.add_event(context.session.id, "repair", f"asked again: {told}")
        return None

    ending = await guarded(session, attempt, body)
    return {"again": repair and ending is None, "ending": ending}


async def conclude(session: str, attempt: int, ending: Json | None) -> Json | None:
    """Write the deliverable, whatever there is to deliver, and return the ending."""
    given = load_ending(ending) if ending else None

    async def body(context: SessionContext) -> Ending | None:
        return await bounded(lambda: deliver.deliver(context, given))

    return await guarded(session, attempt, body, although_stopping=True)
