"""Wait for a run, from any process: the database tells, and a worker that died is replaced."""

import contextlib
import threading
from collections.abc import Callable

from abreast.engine.common.worker_process import ensure_worker
from abreast.engine.reading import snapshots
from abreast.errors import NotFoundError, WorkerError
from abreast.model.session import Attendance, Run
from abreast.model.snapshot import Snapshot
from abreast.places import Places
from abreast.process import clock
from abreast.process.patience import pause
from abreast.store.changed import Changed
from abreast.store.reader import Reader
from abreast.store.snapshots import SnapshotReader

POLL = 0.15  # seconds between looks at a run that is waited for, at the most
_CHECK = 2.0  # seconds between checks that a worker lives
_MOST_WORKERS = 5  # started during one wait


def wait(
    run: str,
    places: Places,
    progress: Callable[[Run], None],
    timeout: float | None = None,
    given_up: threading.Event | None = None,
) -> Run:
    """Return the run once it is final, `timeout` has passed, or the caller has `given_up`.

    A worker that was killed meanwhile is replaced; raises WorkerError when they keep dying.
    """
    return wait_for(
        run, places, progress, lambda found: found.state.final, timeout=timeout, given_up=given_up
    )


def wait_for(
    run: str,
    places: Places,
    progress: Callable[[Run], None],
    enough: Callable[[Run], bool],
    *,
    timeout: float | None = None,
    given_up: threading.Event | None = None,
) -> Run:
    """Return the run once it is `enough`; otherwise like `wait`."""
    reader, given_up = Reader(places.database), given_up or threading.Event()
    began = clock.awake()
    checked = began - _CHECK  # at once: it may be a run that everybody has left
    deadline = None if timeout is None else began + timeout
    shown, started = None, 0
    with contextlib.closing(Changed(places.database)) as changed:
        found = require_run(reader, run)
        while True:
            if changed.poll():
                found = require_run(reader, run)
                asked = [one for one in reader.waiting() if one.session.startswith(f"{run}/")]
                if (found, asked) != shown:
                    shown = found, asked
                    progress(found)
            now = clock.awake()
            if enough(found) or (deadline is not None and now > deadline):
                return found
            if now - checked >= _CHECK:
                checked = now
                started = _attend(places, started)
            if given_up.wait(pause(now - began, POLL)):
                return found


def wait_for_all(
    places: Places,
    progress: Callable[[Snapshot], None],
    given_up: threading.Event | None = None,
) -> Snapshot:
    """Return the snapshot once nothing goes on on this machine; sessions of persons do not count.

    `progress` is called with each one until then. A worker that was killed meanwhile is replaced.
    """
    started, last = 0, None
    for last in snapshots.changes(places, given_up=given_up):
        progress(last)
        going = [one for one in last.runs if one.goes_on]
        if not going:
            break
        if any(one.presence.who in {Attendance.AGENT, Attendance.NOBODY} for one in going):
            started = _attend(places, started)
    return last or snapshots.look(SnapshotReader(places.database), places)


def _attend(places: Places, started: int) -> int:
    """See that a worker lives; return how many were started so far, which must not be too many."""
    started += ensure_worker(places)
    if started > _MOST_WORKERS:
        raise WorkerError("the worker ended repeatedly", hint=f"see {places.logs / 'worker.log'}")
    return started


def require_run(reader: Reader, run: str) -> Run:
    """Return the run of exactly this id; raises NotFoundError."""
    found = reader.run(run)
    if found is None:
        raise NotFoundError(f"there is no run {run}", hint="`abreast status --all` lists the runs")
    return found
