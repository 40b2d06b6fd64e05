"""Leave a handoff behind when an attempt ends, whatever it came to."""

import time
from dataclasses import replace
from pathlib import Path

from abreast.engine.common.ending import Ending
from abreast.engine.reading.handoff.session import origin_of, session_facts, session_header, write
from abreast.engine.working.session.context import Engine, SessionContext
from abreast.handoff.compose import compose
from abreast.handoff.facts import SessionFacts
from abreast.model.states import SessionState
from abreast.plan.dump import load_plan


def leave(context: SessionContext, ending: Ending) -> None:
    """Write the handoff of an attempt that ends so into its folder; a failure is only told."""
    session = context.engine.reader.session(context.session.id) or context.session
    session = replace(
        session, state=ending.state, reason=ending.reason, hint=ending.hint, ended=time.time()
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
        _warn(context, f"its handoff tells no more than abreast knows itself: {failure!r}")
        facts = SessionFacts(origin=origin_of(session, context.task, None, context.run.target))
        found = compose(facts, session_header(facts, session))
    try:
        write(layout.directory, found)
    except OSError as failure:
        _warn(context, f"its handoff could not be written: {failure}")


def _warn(context: SessionContext, text: str) -> None:
    context.add_event("warning", text)


def leave_bare(engine: Engine, session_id: str, attempt: int, ending: Ending) -> None:
    """Write what abreast knows itself of a session that nothing else can be found out about."""
    session = engine.reader.session(session_id)
    run = engine.reader.run(session.run) if session else None
    if session is None or run is None:
        return
    session = replace(session, state=ending.state, reason=ending.reason, hint=ending.hint)
    task = load_plan(engine.reader.plan_json(run.id)).by_id()[session.task]
    facts = SessionFacts(origin=origin_of(session, task, None, run.target))
    folder = engine.places.sessions / session.run / session.task / str(attempt)
    write(folder, compose(facts, session_header(facts, session)))
