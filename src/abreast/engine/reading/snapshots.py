"""Snapshots, one after the other as things change, for whoever watches."""

import contextlib
import threading
from collections.abc import Iterator

from abreast.engine.common import attendance, status_line
from abreast.engine.common.worker_process import find_worker
from abreast.faces.alerts import line_of
from abreast.model.groups import snapshot_of
from abreast.model.session import Attendance, Presence, Run, RunState
from abreast.model.snapshot import Snapshot, Watched
from abreast.places import Places
from abreast.process import clock
from abreast.process.files import write_atomic
from abreast.store.changed import Changed
from abreast.store.snapshots import SnapshotReader

LOOK = 0.1
"""Seconds between looks at whether the database has changed: one counter is read."""

_ATTENDED = 2.0  # seconds between looks at who is at work: a worker that is killed writes nothing


def changes(
    places: Places,
    run: str = "",
    since: str = "",
    *,
    every: float = 0.25,
    given_up: threading.Event | None = None,
) -> Iterator[Snapshot]:
    """Yield the snapshot if its revision is not `since`, then the next ones as they come to be.

    There are at least `every` seconds between two; what changes meanwhile is in the next one. With
    `given_up` set it ends.
    """
    reader, changed = SnapshotReader(places.database, run), Changed(places.database)
    given_up, revision, looked = given_up or threading.Event(), since, -_ATTENDED
    found: Snapshot | None = None
    try:
        while True:
            now = clock.awake()
            # Whether it has changed is asked first: what changes while it is read is found again.
            if changed.poll() or now - looked >= _ATTENDED:
                looked = now
                found = look(reader, places, found)
                if found.revision != revision:
                    revision = found.revision
                    yield found
                    if given_up.wait(max(0.0, every - LOOK)):
                        return
            if given_up.wait(LOOK):
                return
    finally:
        changed.close()


def look(reader: SnapshotReader, places: Places, before: Snapshot | None = None) -> Snapshot:
    """Return the snapshot of now; what is as at the look `before` is taken over from that."""
    found = reader.read()
    worker = find_worker(places) is not None
    watched = [Watched(run, _presence(run, places, worker=worker)) for run in found.runs]
    return snapshot_of(watched, found.questions, found.stamp, before)


def count_line(places: Places) -> str:
    """Return the line of `abreast status --line` as of now, and keep it for the next prompt."""
    before = status_line.mark(places.database)
    return keep_line(look(SnapshotReader(places.database), places), places, before)


def keep_line(found: Snapshot, places: Places, before: str) -> str:
    """Return the line of a snapshot, kept for the next prompt.

    `before` is what the database looked like before it was read.
    """
    line = line_of(found)
    worker = find_worker(places)
    text = status_line.content(before, worker.pid if worker else None, line)
    with contextlib.suppress(OSError):  # no state folder yet, or one that only may be read
        write_atomic(places.state / status_line.FILE, text, flush=False)
    return line


def _presence(run: Run, places: Places, *, worker: bool) -> Presence:
    if run.state.final or run.state is RunState.OPEN:
        return Presence(Attendance.NOT_NEEDED)
    return Presence(Attendance.WORKER) if worker else attendance.presence(run, places)
