"""Which session a handoff is of: by name, by transcript, or the newest one here."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from abreast.agents import recording, records_of, titles
from abreast.engine.reading.handoff.git import top_of
from abreast.engine.reading.handoff.writing import by_hand
from abreast.engine.reading.transcripts import (
    find_transcripts,
    newest_transcript,
    open_transcript,
)
from abreast.errors import NotFoundError, StoreError
from abreast.model.handoff import Handoff
from abreast.model.session import Run, Session, SessionKind, SessionState
from abreast.model.text import either
from abreast.model.transcript import Transcript
from abreast.places import Places
from abreast.process.files import from_home
from abreast.process.folders import written
from abreast.store.reader import Reader

_ID = re.compile(r"[0-9a-fA-F-]{8,}")
_RUNS = 500
_MOST = 50


def newest_here(folder: Path, places: Places, environ: Mapping[str, str]) -> Transcript:
    """Return the newest session that somebody started by hand in `folder`, whichever the CLI.

    Raises NotFoundError when there is none.
    """
    found = max(_newest(folder, places, environ), key=written, default=None)
    if found is None:
        raise NotFoundError(
            f"no session of {either(titles(recording()))} was started in {folder}",
            hint="name a session of abreast's (RUN/TASK), or the file of a transcript",
        )
    return open_transcript(found, places, environ)


def each_here(folder: Path, places: Places, environ: Mapping[str, str]) -> list[Transcript]:
    """Return the newest session of every CLI that somebody started by hand in `folder`."""
    found = sorted(_newest(folder, places, environ), key=written, reverse=True)
    return [open_transcript(path, places, environ) for path in found]


def named(name: str, places: Places, environ: Mapping[str, str]) -> Transcript | None:
    """Return the transcript that a file or the id of a CLI's session names; None for neither."""
    file = from_home(name)
    if file.is_file():
        return open_transcript(file, places, environ, named=True)
    if not _ID.fullmatch(name):
        return None
    found = [one for one in find_transcripts(places, environ) if name[:8] in one.path.name]
    for one in sorted(found, key=lambda one: one.mtime, reverse=True):
        transcript = records_of(one.agent).read(one.path)
        if transcript.session.startswith(name):
            return transcript
    return None


def _newest(folder: Path, places: Places, environ: Mapping[str, str]) -> Iterator[Path]:
    top = top_of(folder)
    ours = _started_by_us(places)
    for agent in recording():
        for place in dict.fromkeys([folder, top or folder]):
            found = newest_transcript(place, environ, agent=agent, without=ours)
            if found is not None:
                yield found
                break


def session_of(cli_session: str, places: Places) -> Session | None:
    """Return abreast's own session that a CLI knows by this id, None if it is not one of ours."""
    name = _started_by_us(places).get(cli_session)
    return Reader(places.database).session(name) if name else None


def session_at(folder: Path, places: Places) -> Session | None:
    """Return abreast's own session whose worktree `folder` lies in, None when it is in none."""
    top = top_of(folder)
    if top is None:
        return None
    found = (s for run in _runs(places) for s in run.sessions if s.worktree)
    return next((s for s in found if Path(s.worktree) == top), None)


def unlanded_here(folder: Path, places: Places) -> list[Session]:
    """Return the sessions of abreast's own on this repository whose work is in no target yet."""
    top = top_of(folder)
    if top is None:
        return []
    runs = [run for run in _runs(places) if Path(run.repo) == top]
    return [s for run in runs for s in run.sessions if _open(s)][:_MOST]


def _started_by_us(places: Places) -> dict[str, str]:
    """Return abreast's own sessions by the ids of their CLIs: nobody started those by hand."""
    try:
        return Reader(places.database).cli_sessions()
    except StoreError:
        return {}


def _open(session: Session) -> bool:
    """Return whether there is something left to do about a session that has ended."""
    if session.landed or not session.state.final or session.kind is SessionKind.CHILD:
        return False
    return bool(session.commit) or session.state is not SessionState.DONE


def _runs(places: Places) -> list[Run]:
    try:
        return Reader(places.database).runs(_RUNS)
    except StoreError:
        return []


def handoff(
    source: str, places: Places, environ: Mapping[str, str], *, tokens: int, folder: Path
) -> Handoff:
    """Return the handoff of one session (see `abreast.api.handoff`)."""
    if not source and (own := session_at(folder, places)) is not None:
        return _of(own, places, environ, tokens)
    if not source:
        found = newest_here(folder, places, environ)
        return by_hand(found, environ, tokens=tokens, folder=folder)
    if (session := _session(source, places)) is not None:
        return _of(session, places, environ, tokens)
    transcript = named(source, places, environ)
    if transcript is None:
        raise NotFoundError(
            f"there is no session or transcript {source}",
            hint="`abreast status` lists abreast's own; a transcript is named by its file",
        )
    ours = session_of(transcript.session, places)
    if ours is not None:
        return _of(ours, places, environ, tokens)
    return by_hand(transcript, environ, tokens=tokens, folder=folder)


def handoffs(
    places: Places, environ: Mapping[str, str], *, tokens: int, folder: Path
) -> list[Handoff]:
    """Return a handoff of each session that may need to be continued (`api.handoffs`)."""
    by_people = [
        by_hand(one, environ, tokens=tokens, folder=folder)
        for one in each_here(folder, places, environ)
    ]
    ours = [_of(session, places, environ, tokens) for session in unlanded_here(folder, places)]
    return [*by_people, *ours]


def _of(session: Session, places: Places, environ: Mapping[str, str], tokens: int) -> Handoff:
    # It needs the store as a writer has it, whose import takes a quarter of a second.
    from abreast.engine.reading.handoff.session import of_session

    return of_session(session, places, environ, tokens=tokens)


def _session(name: str, places: Places) -> Session | None:
    """Return abreast's own session `run/task`, or the newest one of that task."""
    if from_home(name).is_file():
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
