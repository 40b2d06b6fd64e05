"""The steps of a run itself: how it opens and how it closes."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from pathlib import Path

from abreast.engine.common.ending import Ending
from abreast.engine.common.environment import drop_environment, only_writer
from abreast.engine.common.layout import repository_of_run
from abreast.engine.common.recorded import keep_run
from abreast.engine.common.verdicts import dump_judgement
from abreast.engine.reading.gate import outcome_of
from abreast.engine.working.schedule import Pace, RunProgress
from abreast.engine.working.session.context import Engine, plan_of
from abreast.engine.working.session.final import leave_bare, write_ending
from abreast.engine.working.session.preparing import warm_up
from abreast.errors import AbreastError, StoreError
from abreast.model.session import LandMode, LandState, Run, RunState, Session, SessionState


@dataclass(frozen=True)
class Opened:
    """What a run starts with."""

    pace: Pace
    progress: RunProgress
    admits: bool = False  # whether it asks before sessions start: older versions did not


def open_run(engine: Engine, run_id: str, generation: int) -> Opened:
    """Mark a run as running for this request; return its pace, and how far its sessions are."""
    engine.store.move_run(run_id, generation, lambda _run, _stopping: RunState.RUNNING)
    run, plan = _require(engine, run_id), plan_of(engine, run_id)
    pace = Pace(
        max_parallel=run.max_parallel,
        agents={session.task: session.agent for session in run.sessions},
        needs={task.id: task.needs for task in plan.tasks},
        resources={task.id: task.resources for task in plan.tasks},
        attempts={session.task: session.attempt for session in run.sessions},
        children=frozenset(task.id for task in plan.tasks if task.contract),
        after={task.id: task.after for task in plan.tasks},
    )
    begun = [s for s in run.sessions if s.state is not SessionState.QUEUED]
    progress = RunProgress(
        frozenset(s.task for s in begun if not s.state.final),
        {s.task: s.state for s in begun if s.state.final},
    )
    return Opened(pace, progress, admits=True)


def stop_requested(engine: Engine, run: str) -> bool:
    """Return whether the user has asked the whole run to stop."""
    return engine.store.stop_requested(run)


def skip(engine: Engine, session: str, ending: Ending, generation: int) -> None:
    """End a session that never started, unless a request newer than `generation` wants it."""
    if _require(engine, session.partition("/")[0]).generation != generation:
        return
    found = engine.reader.session(session)
    leave_bare(engine, session, found.attempt if found else 1, ending)
    write_ending(engine, session, ending, began=False, generation=generation)


def close_run(engine: Engine, run_id: str, generation: int) -> None:
    """Give a run its final state for this request, or pass it on to its landing."""
    mode = plan_of(engine, run_id).land

    def goes_on(session: Session) -> bool:
        # Where landing was asked for later, those it was asked for: they wait, or were repaired.
        # What a person has approved before its repair is looked at once more.
        repaired = bool(session.mending) and mode is not LandMode.REVIEW
        asked = session.landing is LandState.QUEUED or repaired
        return session.lands and (mode.at_once or asked)

    _close(engine, run_id, generation, partial(_after_work, goes_on), goes_on)


def close_landing(engine: Engine, run_id: str, generation: int) -> None:
    """Give a run its final state once the landings that this request asked for are through."""
    _close(engine, run_id, generation, after_landing)
    engine.lookout.changed(_require(engine, run_id).common_dir)


def after_landing(run: Run, stopping: bool) -> RunState | None:
    """Return the state of a run whose landings are through; None: it is that already."""
    if run.state is not RunState.LANDING:
        return None  # a turn that another run had began on the target has closed it
    # A session may have been queued once more meanwhile.
    return final_state(run, stopping) if _all_ended(run) else RunState.QUEUED


def _close(
    engine: Engine,
    run_id: str,
    generation: int,
    judge: Callable[[Run, bool], RunState | None],
    lands: Callable[[Session], bool] = attrgetter("lands"),
) -> None:
    """Close a run as `judge` says, unless a newer request for it is at work, and will close it."""
    with only_writer(engine.places, run_id):
        state = engine.store.move_run(run_id, generation, judge, lands)
        if state is None or not state.final:
            return
        drop_environment(engine.places, run_id)
    _hold(engine, run_id)
    ended = _require(engine, run_id)
    keep_run(engine.places, ended, engine.reader.plan_json(run_id))
    warm_up(engine.places, ended, plan_of(engine, run_id))


def _hold(engine: Engine, run_id: str) -> None:
    """Hold what the gate has said of a run's plan against what has become of it."""
    if not engine.reader.judgements(run_id):
        return
    try:
        run = _require(engine, run_id)
        repository = repository_of_run(engine.places, run_id, Path(run.repo))
        engine.store.set_happened(run_id, dump_judgement(outcome_of(run, repository)))
    except StoreError:
        raise
    except AbreastError as failure:
        engine.store.add_event(run_id, "warning", f"the gate cannot be reviewed: {failure}")


def _after_work(lands: Callable[[Session], bool], run: Run, stopping: bool) -> RunState | None:
    if not _all_ended(run):
        return None
    asked = run.land.at_once and any(lands(session) for session in run.sessions)
    return RunState.LANDING if asked and not stopping else final_state(run, stopping)


def _all_ended(run: Run) -> bool:
    return all(session.state.final for session in run.sessions)


def final_state(run: Run, stopping: bool) -> RunState:
    """Return what a run has come to, its sessions all being final."""
    states = {session.state for session in run.sessions}
    if SessionState.STOPPED in states and states <= {
        SessionState.DONE,
        SessionState.STOPPED,
        SessionState.SKIPPED,
    }:
        return RunState.STOPPED
    asked = run.land.at_once
    # Nobody has asked for the others, or the user has stopped their landing.
    unasked = {LandState.NONE, LandState.UNDONE}
    wanted = [s for s in run.sessions if s.commit and (stopping or s.landing not in unasked)]
    landed = all(has_landed(session) for session in wanted)
    done = states <= {SessionState.DONE}
    if done and asked and not landed and stopping:
        return RunState.STOPPED  # in mid-landing
    return RunState.DONE if done and (landed or not asked) else RunState.FAILED


def has_landed(session: Session) -> bool:
    """Return whether a session's commit is in the target, or in a pull request."""
    return session.landing in {LandState.LANDED, LandState.PROPOSED}


def _require(engine: Engine, run: str) -> Run:
    found = engine.reader.run(run)
    if found is None:
        raise LookupError(f"run {run} is not in the database")
    return found
