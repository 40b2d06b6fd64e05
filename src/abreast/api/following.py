"""Wait for a run that was started, and follow what happens on this machine."""

import threading
from collections.abc import Callable, Iterator

from abreast.api.looking import find_run
from abreast.engine.client import watching
from abreast.engine.reading import snapshots
from abreast.model.session import Run
from abreast.model.snapshot import Snapshot
from abreast.places import Places, find_places

Progress = Callable[[Run], None]


def unseen(_: object) -> None:
    """Do nothing: the caller wants no progress."""


def wait(
    run: str,
    *,
    progress: Progress | None = None,
    timeout: float | None = None,
    places: Places | None = None,
) -> Run:
    """Return the run once it is final (or `timeout` seconds have passed: then as it stands).

    `progress` is called with each changed state of the run, from this thread.
    """
    return watching.wait(run, places or find_places(), progress or unseen, timeout)


def wait_for_all(
    *, progress: Callable[[Snapshot], None] | None = None, places: Places | None = None
) -> Snapshot:
    """Return the snapshot once nothing goes on on this machine; `progress` gets each until then.

    A person's own sessions do not count. A worker that has died is replaced.
    """
    return watching.wait_for_all(places or find_places(), progress or unseen)


def changes(
    since: str = "", *, run: str = "", every: float = 0.25, places: Places | None = None
) -> Iterator[Snapshot]:
    """Yield the snapshot if its revision is not `since`, and then each that differs, as it comes.

    There are at least `every` seconds between two. `run` is the only one that is wanted (a unique
    prefix will do). It goes on until the caller leaves it. Nothing is changed and no worker
    started.
    """
    yield from changes_until(None, since, run=run, every=every, places=places)


def changes_until(
    given_up: threading.Event | None,
    since: str = "",
    *,
    run: str = "",
    every: float = 0.25,
    places: Places | None = None,
) -> Iterator[Snapshot]:
    """See `changes`; it ends once somebody has `given_up`, from another thread."""
    where = places or find_places()
    name = find_run(run, places=where).id if run else ""
    yield from snapshots.changes(where, name, since, every=every, given_up=given_up)
