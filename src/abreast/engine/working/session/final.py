"""How an attempt ends: it leaves a handoff, and its ending is written down once."""

from dataclasses import replace
from pathlib import Path

from abreast.engine.common.ending import Ending, with_names
from abreast.engine.common.recorded import keep_end_of_session
from abreast.engine.reading.handoff.session import origin_of, session_facts, session_header, write
from abreast.engine.working.session.context import Engine, SessionContext
from abreast.errors import StateError
from abreast.handoff.compose import compose
from abreast.handoff.facts import SessionFacts
from abreast.model.cause import Cause
from abreast.model.handoff import Handoff
from abreast.model.session import Session, SessionKind, SessionState
from abreast.model.task import Task
from abreast.plan.dump import load_plan
from abreast.process import clock
from abreast.store.rows import UNSET, SessionUpdate


def write_ending(
    engine: Engine,
    session: str,
    ending: Ending,
    *,
    attempt: int | None = None,
    began: bool = True,
    generation: int | None = None,
) -> Ending:
    """Give a session, which `began` or never did, its final state; return the ending it has then.

    Its hint gets the session's names. An attempt that has ended otherwise keeps that ending.
    Nothing is written about an attempt that a newer one has followed, nor for a request to its run
    that is no longer the latest.
    """
    known = engine.reader.session(session)
    kind = known.kind if known else SessionKind.TASK
    ending = replace(ending, hint=with_names(ending.hint, session, kind))
    change = SessionUpdate(
        state=ending.state,
        reason=ending.reason,
        hint=ending.hint,
        cause=ending.cause,
        started=UNSET if began else None,
    )
    try:
        again = engine.store.end_session(
            session,
            change,
            attempt=attempt,
            generation=generation,
            again=ending.parked or ending.cause is Cause.MEMORY,
        )
    except StateError:
        found = engine.reader.session(session)
        if found is not None and attempt is not None and found.attempt > attempt:
            return replace(ending, again=found.attempt)
        if found is None or not found.state.final or attempt not in {None, found.attempt}:
            return ending
        return Ending(found.state, found.reason, found.hint)
    ended = engine.reader.session(session)
    if ended is not None and ended.state.final:
        keep_end_of_session(engine.places, ended)
    return replace(ending, again=again)


def leave(context: SessionContext, ending: Ending) -> None:
    """Write the handoff of an attempt into its folder; a failure only becomes an event."""
    session = context.engine.reader.session(context.session.id) or context.session
    hint = with_names(ending.hint, session.id, session.kind)
    session = replace(
        session, state=ending.state, reason=ending.reason, hint=hint, ended=clock.wall()
    )
    layout, where = context.layout, (context.repository, Path(context.run.repo))
    try:
        done = ending.state is SessionState.DONE
        facts = session_facts(
            session, context.task, layout, where, context.environment(), proven=done
        )
        facts = replace(facts, origin=origin_of(session, context.task, layout, context.run.target))
        found = compose(facts, session_header(facts, session))
    except Exception as failure:  # noqa: BLE001 - no handoff may change how its session ends
        context.add_event(
            "warning", f"its handoff tells no more than abreast knows itself: {failure!r}"
        )
        found = _bare(session, context.task, context.run.target)
    try:
        write(layout.directory, found)
    except OSError as failure:
        context.add_event("warning", f"its handoff could not be written: {failure}")


def leave_bare(engine: Engine, session_id: str, attempt: int, ending: Ending) -> None:
    """Write a handoff from the store alone, without transcript and git."""
    session = engine.reader.session(session_id)
    run = engine.reader.run(session.run) if session else None
    if session is None or run is None:
        return
    hint = with_names(ending.hint, session_id, session.kind)
    session = replace(session, state=ending.state, reason=ending.reason, hint=hint)
    task = load_plan(engine.reader.plan_json(run.id)).by_id()[session.task]
    folder = engine.places.sessions / session.run / session.task / str(attempt)
    write(folder, _bare(session, task, run.target))


def _bare(session: Session, task: Task, target: str) -> Handoff:
    facts = SessionFacts(origin=origin_of(session, task, None, target))
    return compose(facts, session_header(facts, session))
