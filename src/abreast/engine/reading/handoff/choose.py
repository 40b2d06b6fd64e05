"""The handoff of whatever session a name stands for, whoever started it."""

from collections.abc import Mapping
from pathlib import Path

from abreast.engine.reading.handoff import find
from abreast.engine.reading.handoff.writing import by_hand
from abreast.errors import NotFoundError, StoreError
from abreast.model.handoff import Handoff
from abreast.model.session import Session
from abreast.places import Places
from abreast.store.reader import Reader


def handoff(
    source: str, places: Places, environ: Mapping[str, str], *, tokens: int, folder: Path
) -> Handoff:
    """Return the handoff of one session (see `abreast.api.handoff`)."""
    if not source and (own := find.session_at(folder, places)) is not None:
        return _of(own, places, environ, tokens)
    if not source:
        found = find.newest_here(folder, places, environ)
        return by_hand(found, environ, tokens=tokens, folder=folder)
    if (session := _session(source, places)) is not None:
        return _of(session, places, environ, tokens)
    transcript = find.named(source, places, environ)
    if transcript is None:
        raise NotFoundError(
            f"there is no session or transcript {source}",
            hint="`abreast status` lists abreast's own; a transcript is named by its file",
        )
    ours = find.session_of(transcript.session, places)
    if ours is not None:
        return _of(ours, places, environ, tokens)
    return by_hand(transcript, environ, tokens=tokens, folder=folder)


def handoffs(
    places: Places, environ: Mapping[str, str], *, tokens: int, folder: Path
) -> list[Handoff]:
    """Return the handoffs of all that may have to be gone on with (see `abreast.api.handoffs`)."""
    by_people = [
        by_hand(one, environ, tokens=tokens, folder=folder)
        for one in find.each_here(folder, places, environ)
    ]
    ours = [_of(session, places, environ, tokens) for session in find.unlanded_here(folder, places)]
    return [*by_people, *ours]


def _of(session: Session, places: Places, environ: Mapping[str, str], tokens: int) -> Handoff:
    # It needs the store as a writer has it, whose import takes a quarter of a second.
    from abreast.engine.reading.handoff.session import of_session

    return of_session(session, places, environ, tokens=tokens)


def _session(name: str, places: Places) -> Session | None:
    """Return abreast's own session `run/task`, or the newest one of that task."""
    if Path(name).expanduser().is_file():
        return None
    reader = Reader(places.database)
    try:
        if "/" in name:
            prefix, _, task = name.partition("/")
            run = reader.run_by_prefix(prefix)
            return next((one for one in run.sessions if one.task == task), None)
        return next(iter(reader.sessions_by_task(name)), None)
    except (NotFoundError, StoreError):
        return None
