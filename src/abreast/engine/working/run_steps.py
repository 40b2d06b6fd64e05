"""The steps of a run itself: what it starts with, and what it has come to."""

from abreast.engine.common.ending import load_ending
from abreast.engine.common.environment import drop_environment, only_writer
from abreast.engine.working.durable import Json
from abreast.engine.working.schedule import Pace, RunProgress
from abreast.engine.working.session.context import Engine, plan_of
from abreast.engine.working.session.final import write_ending
from abreast.engine.working.session.handoff import leave_bare
from abreast.engine.working.warm_pool import warm_up
from abreast.model.session import Run, Session
from abreast.model.states import LandMode, LandState, RunState, SessionState


def open_run(engine: Engine, run_id: str) -> Json:
    """Mark a run as running; return its pace, and how far its sessions have come."""
    run, plan = _require(engine, run_id), plan_of(engine, run_id)
    if not run.state.final:
        engine.store.set_run_state(run_id, RunState.RUNNING)
    pace = Pace(
        max_parallel=run.max_parallel,
        agents={task.id: task.agent.name for task in plan.tasks},
        needs={task.id: task.needs for task in plan.tasks},
        resources={task.id: task.resources for task in plan.tasks},
        attempts={session.task: session.attempt for session in run.sessions},
        children=frozenset(task.id for task in plan.tasks if task.contract),
    )
    begun = [s for s in run.sessions if s.state is not SessionState.QUEUED]
    progress = RunProgress(
        frozenset(s.task for s in begun if not s.state.final),
        {s.task: s.state for s in begun if s.state.final},
    )
    return {"pace": pace.to_json(), "progress": progress.to_json()}


def stop_requested(engine: Engine, run: str) -> bool:
    """Return whether the user has asked the whole run to stop."""
    return engine.store.stop_requested(run)


def skip(engine: Engine, session: str, raw: Json, generation: int) -> None:
    """End a session that never started, unless a request newer than `generation` wants it."""
    if _require(engine, session.partition("/")[0]).generation != generation:
        return
    found, ending = engine.reader.session(session), load_ending(raw)
    leave_bare(engine, session, found.attempt if found else 1, ending)
    write_ending(engine, session, ending, began=False, generation=generation)


def close_run(engine: Engine, run_id: str, generation: int) -> None:
    """Give a run its final state for this request, or pass it on to its landing."""
    run = _require(engine, run_id)
    if run.state.final or run.generation != generation or not _all_ended(run):
        return  # a newer request for the same run is at work, and will close it
    waiting = [s for s in run.sessions if s.commit and _may_land(s)]
    if run.land is not LandMode.NONE and waiting and not engine.store.stop_requested(run_id):
        ids = [session.id for session in waiting]
        engine.store.request_landing(run_id, ids, run.land, run.target, generation=generation)
    else:
        _end(engine, run)


def _all_ended(run: Run) -> bool:
    return all(session.state.final for session in run.sessions)


def _may_land(session: Session) -> bool:
    done = session.state is SessionState.DONE
    return done and session.landing in {LandState.NONE, LandState.QUEUED}


def close_landing(engine: Engine, run_id: str, generation: int) -> None:
    """Give a run its final state once the landings that this request asked for are through."""
    run = _require(engine, run_id)
    if run.state.final or run.generation != generation:
        return  # a newer request will close it
    if _all_ended(run):
        _end(engine, run)
    else:  # a session was queued once more meanwhile
        engine.store.close_run(run_id, RunState.QUEUED, generation)


def _end(engine: Engine, run: Run) -> None:
    """Close a run as it was read, unless there has been another request for it since then."""
    stopping = engine.store.stop_requested(run.id)
    state = final_state(run, stopping=stopping)
    with only_writer(engine.places, run.id):
        if not engine.store.close_run(run.id, state, run.generation):
            return
        drop_environment(engine.places, run.id)
    warm_up(engine.places, run, plan_of(engine, run.id))


def final_state(run: Run, *, stopping: bool) -> RunState:
    """Return what a run has come to, its sessions all being final."""
    states = {session.state for session in run.sessions}
    if SessionState.STOPPED in states and states <= {
        SessionState.DONE,
        SessionState.STOPPED,
        SessionState.SKIPPED,
    }:
        return RunState.STOPPED
    asked = run.land is not LandMode.NONE
    landed = all(has_landed(session) for session in run.sessions if session.commit)
    done = states <= {SessionState.DONE}
    if done and asked and not landed and stopping:
        return RunState.STOPPED  # in mid-landing
    return RunState.DONE if done and (landed or not asked) else RunState.FAILED


def has_landed(session: Session) -> bool:
    """Tell whether a session's commit is in the target, or in a pull request."""
    return session.landing in {LandState.LANDED, LandState.PROPOSED}


def _require(engine: Engine, run: str) -> Run:
    found = engine.reader.run(run)
    if found is None:
        raise LookupError(f"run {run} is not in the database")
    return found
