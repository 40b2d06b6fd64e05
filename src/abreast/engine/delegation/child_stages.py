"""The stages of a child's session as DBOS steps: its place, its rounds, its deliverable."""

import asyncio

from abreast.engine.delegation import deliver, rounds
from abreast.engine.durable import Json
from abreast.engine.session import agent_stage, start_stages
from abreast.engine.session.bounded import bounded
from abreast.engine.session.ending import Ending, load_ending
from abreast.engine.session.jobs import run_job
from abreast.engine.session.layout import ROUNDS
from abreast.engine.session.scene import Scene
from abreast.engine.session.stages import blocking, guarded
from abreast.model.contract import Isolation
from abreast.model.states import SessionState
from abreast.store.changes import Change


async def prepare(session: str, attempt: int) -> Json | None:
    """Make a child's place: the parent's tree, its state noted, or a worktree of its own."""
    return await blocking(session, attempt, _prepare)


def _prepare(scene: Scene) -> Ending | None:
    if rounds.contract_of(scene).isolation is Isolation.WORKTREE:
        return start_stages.prepare(scene)
    change = Change(
        state=SessionState.PREPARING,
        base_sha=scene.plan.base_sha,
        directory=str(scene.layout.directory),
    )
    scene.engine.store.update_session(scene.session.id, change)
    deliver.mark_tree(scene)
    return None


async def ask(session: str, attempt: int, number: int) -> Json:
    """Ask the child, for the `number`-th time from 0; tell whether to ask again, or the ending."""
    repair = False

    async def body(scene: Scene) -> Ending | None:
        nonlocal repair
        store = scene.engine.store
        store.update_session(scene.session.id, Change(state=SessionState.RUNNING))

        folder = scene.layout.job(ROUNDS[number])
        await run_job(
            folder, lambda: rounds.order(scene, number), progress=agent_stage.noting(scene)
        )
        repair = await asyncio.to_thread(rounds.to_repair, scene)
        if repair:
            found = await asyncio.to_thread(rounds.rounds_of, scene)
            told = "; ".join(found.judged.problems[:3]) if found else ""
            store.add_event(scene.session.id, "repair", f"asked again: {told}")
        return None

    ending = await guarded(session, attempt, body)
    return {"again": repair and ending is None, "ending": ending}


async def conclude(session: str, attempt: int, ending: Json | None) -> Json | None:
    """Write the deliverable, whatever there is to deliver, and return the ending."""
    given = load_ending(ending) if ending else None

    async def body(scene: Scene) -> Ending | None:
        return await bounded(lambda: deliver.deliver(scene, given))

    return await guarded(session, attempt, body, although_stopping=True)
