"""Look at runs and sessions; nothing here changes anything, and what is imported is light."""

from dataclasses import replace
from typing import TYPE_CHECKING

from abreast.errors import NotFoundError
from abreast.model.groups import snapshot_of
from abreast.model.session import Attendance, Presence, Run, Session, SessionState
from abreast.model.snapshot import Snapshot, Watched
from abreast.places import Places, find_places
from abreast.store import unrecorded as lost
from abreast.store.reader import Reader

if TYPE_CHECKING:
    from abreast.model.pull_request import SessionRequest


def runs(*, limit: int = 20, places: Places | None = None) -> list[Run]:
    """Return the newest runs, newest first; empty when nothing ever ran here."""
    return reader_of(places).runs(limit)


def snapshot(run: str = "", *, most: int = 1_000, places: Places | None = None) -> Snapshot:
    """Return what every face shows: the sessions in groups, and what waits for a person.

    Of one run (a unique prefix will do), or of all unfinished runs and the newest others, until
    there are `most` sessions; the newest run is always there. `abreast.changes` tells what
    becomes of it.
    """
    where = places or find_places()
    name = find_run(run, places=where).id if run else ""
    from abreast.engine.reading.snapshots import look
    from abreast.store.snapshots import SnapshotReader

    return look(SnapshotReader(where.database, name, most), where)


def newest(*, places: Places | None = None) -> Snapshot:
    """Return the snapshot of the runs that go on, or else of the newest one; without a revision.

    It is read at once, for `abreast status`: nothing is remembered for another look.
    """
    reader = reader_of(places)
    runs = reader.active() or reader.runs(1)
    watched = [Watched(one, presence(one, places=places)) for one in runs]
    asks = {SessionState.RUNNING, SessionState.BLOCKED}
    may_ask = any(session.state in asks for run in runs for session in run.sessions)
    return replace(snapshot_of(watched, reader.waiting() if may_ask else (), 0), revision="")


def find_run(name: str = "", *, places: Places | None = None) -> Run:
    """Return the run of this id (a unique prefix will do), by default the newest one."""
    return reader_of(places).run_by_prefix(name)


def sessions(run: str = "", *, places: Places | None = None) -> list[Session]:
    """Return the sessions of a run; with no name, of every run that is not final."""
    reader = reader_of(places)
    if run:
        return list(reader.run_by_prefix(run).sessions)
    return [session for active in reader.active() for session in active.sessions]


def find_session(name: str, *, places: Places | None = None) -> Session:
    """Return the session `run/task`; a bare task id means the newest run that has it.

    Of runs in several repositories, those of the one around the current folder come first. A run of
    one session, such as a delegation, stands for that.
    """
    reader = reader_of(places)
    only: list[Session] = []
    if "/" in name:
        prefix, _, task = name.partition("/")
        found = [s for s in reader.run_by_prefix(prefix).sessions if s.task == task]
    else:
        found = reader.sessions_by_task(name)
        if not found and len(only := reader.sessions(name)) == 1:
            found, only = only, []
    if not found and only:
        hint = f"abreast status {only[0].run} lists its sessions"
        raise NotFoundError(f"{name} is a run, not a session", hint=hint)
    if not found:
        raise NotFoundError(f"there is no session {name}", hint="`abreast status --all` lists them")
    return found[0] if len(found) == 1 else _nearest(found, reader)


_FEW = 50  # runs that have a task of one name and are looked at


def _nearest(found: list[Session], reader: Reader) -> Session:
    """Return the newest session in the repository around the current folder, else the newest."""
    import os
    from pathlib import Path

    from abreast.engine.reading.doctor.repositories import checkout_of

    try:
        here = checkout_of(Path.cwd())
    except OSError:  # the folder is gone
        return found[0]
    for session in found[:_FEW] if here else ():
        run = reader.run(session.run)
        if run and here and run.common_dir and os.path.realpath(run.common_dir) == str(here[1]):
            return session
    return found[0]


def presence(run: Run, *, places: Places | None = None) -> Presence:
    """Return who works on a run as it stands, and since when nobody has."""
    if run.state.final:
        return Presence(Attendance.NOT_NEEDED)
    # So that `abreast status` of what has ended answers at once.
    from abreast.engine.common import attendance

    return attendance.presence(run, places or find_places())


def pull_requests(run: Run, *, places: Places | None = None) -> "list[SessionRequest]":
    """Return how the pull requests of a run stand: asks GitHub or GitLab for each."""
    from abreast.engine.reading.pull_requests import pull_requests as ask

    return ask(run, places or find_places())


def unrecorded(*, places: Places | None = None) -> list[lost.Unrecorded]:
    """Return the sessions whose work is on disk and in no record: the database was lost."""
    return lost.unrecorded(places or find_places())


def reader_of(places: Places | None) -> Reader:
    return Reader((places or find_places()).database)


def run_or_session(name: str, places: Places) -> Run | Session:
    """Return the session `run/task`, else the run of this name, else this task's newest session."""
    if "/" in name:
        return find_session(name, places=places)
    try:
        return find_run(name, places=places)
    except NotFoundError:
        return find_session(name, places=places)
