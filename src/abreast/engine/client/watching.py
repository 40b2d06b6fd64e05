"""Wait for a run, from any process: the database tells, and a worker that died is replaced."""

import threading
import time
from collections.abc import Callable

from abreast.engine.common.worker_process import ensure_worker
from abreast.errors import NotFoundError, WorkerError
from abreast.model.session import Run
from abreast.places import Places
from abreast.process.patience import pause
from abreast.store.reader import Reader

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
    began = time.monotonic()
    checked = began - _CHECK  # at once: it may be a run that everybody has left
    deadline = None if timeout is None else began + timeout
    shown, started = None, 0
    while True:
        found = require_run(reader, run)
        if found != shown:
            shown = found
            progress(found)
        now = time.monotonic()
        if enough(found) or (deadline is not None and now > deadline):
            return found
        if now - checked >= _CHECK:
            checked = now
            started += ensure_worker(places)
            if started > _MOST_WORKERS:
                raise WorkerError(
                    "the worker ended repeatedly", hint=f"see {places.logs / 'worker.log'}"
                )
        if given_up.wait(pause(now - began, POLL)):
            return found


def require_run(reader: Reader, run: str) -> Run:
    """Return the run of exactly this id; raises NotFoundError."""
    found = reader.run(run)
    if found is None:
        raise NotFoundError(f"there is no run {run}", hint="`abreast status` lists the runs")
    return found
