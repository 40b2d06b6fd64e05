"""How a session has ended is written down once: the first ending of an attempt stays."""

from dataclasses import replace

from abreast.engine.common.ending import Ending
from abreast.engine.working.session.context import Engine
from abreast.errors import StateError
from abreast.store.changes import UNSET, SessionUpdate


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

    An attempt that has ended otherwise keeps that ending. Nothing is written about an attempt that
    a newer one has followed, nor for a request to its run that is no longer the latest.
    """
    change = SessionUpdate(
        state=ending.state,
        reason=ending.reason,
        hint=ending.hint,
        started=UNSET if began else None,
    )
    try:
        again = engine.store.end_session(session, change, attempt=attempt, generation=generation)
    except StateError:
        found = engine.reader.session(session)
        if found is not None and attempt is not None and found.attempt > attempt:
            return replace(ending, again=found.attempt)
        if found is None or not found.state.final or attempt not in {None, found.attempt}:
            return ending
        return Ending(found.state, found.reason, found.hint)
    return replace(ending, again=again)
