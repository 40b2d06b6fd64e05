"""What a landing that takes back another one's changes says of that."""

from contextlib import suppress

from abreast.engine.common.undo import taken_back_by
from abreast.engine.working.session.context import Engine
from abreast.errors import StateError
from abreast.model.session import LandState, SessionKind


def note_undone(engine: Engine, name: str) -> None:
    """Record of what a landed session takes back that it is undone, or is there again.

    The latter is so where it takes back an undo.
    """
    by, undone = name, True
    while (session := engine.reader.session(by)) and (run := engine.reader.run(session.run)):
        other = engine.reader.session(taken_back_by(run, session))
        if other is None:
            return
        back = f"abreast land --undo {by} brings it back"
        hint = back
        if other.kind is not SessionKind.OPEN:
            hint += f"; abreast retry {other.id} does it afresh"
        if other.landing is (LandState.LANDED if undone else LandState.UNDONE):
            told = (by, hint) if undone else ()
            with suppress(StateError):  # another attempt at it has been asked for meanwhile
                engine.store.mark_undone(other.id, other.attempt, *told)
        elif undone and other.reason != f"undone by {by}":
            return  # what it took back is not there; else a worker before us has marked it
        by, undone = other.id, not undone
