"""The steps of a run itself: what it starts with, and what it has come to."""

import asyncio

from abreast.engine.durable import Json
from abreast.engine.ending import load_ending
from abreast.engine.environment import drop_environment
from abreast.engine.final import write_ending
from abreast.engine.scene import current, plan_of
from abreast.engine.schedule import Pace, Progress
from abreast.engine.warm import warm_up
from abreast.model.session import Run
from abreast.model.states import LandMode, LandState, RunState, SessionState
from abreast.store.changes import Change


async def open_run(run: str) -> Json:
    """Mark a run as running; return its pace, and how far its sessions have come."""
    return await asyncio.to_thread(_open_run, run)


def _open_run(run_id: str) -> Json:
    engine, plan = current(), plan_of(run_id)
    run = _require(run_id)
    if not run.state.final:
        engine.store.set_run_state(run_id, RunState.RUNNING)
    pace = Pace(
        max_parallel=run.max_parallel,
        agents={task.id: task.agent.name for task in plan.tasks},
        needs={task.id: task.needs for task in plan.tasks},
        resources={task.id: task.resources for task in plan.tasks},
        attempts={session.task: session.attempt for session in run.sessions},
    )
    begun = [s for s in run.sessions if s.state is not SessionState.QUEUED]
    progress = Progress(
        frozenset(s.task for s in begun if not s.state.final),
        {s.task: s.state for s in begun if s.state.final},
    )
    return {"pace": pace.to_json(), "progress": progress.to_json()}


async def stop_requested(run: str) -> bool:
    """Tell whether the user has asked the whole run to stop."""
    return await asyncio.to_thread(current().store.stop_requested, run)


async def skip(session: str, ending: Json) -> None:
    """End a session that never started."""
    await asyncio.to_thread(write_ending, current(), session, load_ending(ending))


async def close_run(run: str) -> None:
    """Give a run its final state, or pass it on to its landing."""
    await asyncio.to_thread(_close_run, run)


def _close_run(run_id: str) -> None:
    engine, run = current(), _require(run_id)
    if run.state.final or not all(session.state.final for session in run.sessions):
        return  # another request for the same run is still at work, and will close it
    waiting = [s for s in run.sessions if s.state is SessionState.DONE and _may_land(s.landing)]
    if run.land is not LandMode.NONE and waiting and not engine.store.stop_requested(run_id):
        for session in waiting:
            engine.store.update_session(session.id, Change(landing=LandState.QUEUED))
        engine.store.set_run_state(run_id, RunState.LANDING)
    else:
        _end(run)


def _may_land(landing: LandState) -> bool:
    return landing in {LandState.NONE, LandState.QUEUED}


async def close_landing(run: str) -> None:
    """Give a run its final state once its landings are through."""
    await asyncio.to_thread(lambda: _end(_require(run)))


def _end(run: Run) -> None:
    engine = current()
    drop_environment(engine.places, run.id)
    engine.store.set_run_state(run.id, final_state(run))
    warm_up(engine.places, run, plan_of(run.id))


def final_state(run: Run) -> RunState:
    """Return what a run has come to, its sessions all being final."""
    states = {session.state for session in run.sessions}
    if SessionState.STOPPED in states and states <= {
        SessionState.DONE,
        SessionState.STOPPED,
        SessionState.SKIPPED,
    }:
        return RunState.STOPPED
    asked = run.land is not LandMode.NONE
    arrived = {LandState.LANDED, LandState.PROPOSED}
    landed = all(session.landing in arrived for session in run.sessions)
    done = states <= {SessionState.DONE}
    return RunState.DONE if done and (landed or not asked) else RunState.FAILED


def _require(run: str) -> Run:
    found = current().reader.run(run)
    if found is None:
        raise LookupError(f"run {run} is not in the database")
    return found
