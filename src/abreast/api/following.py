"""Wait for a run that was started."""

from collections.abc import Callable

from abreast.engine.client import watching
from abreast.model.session import Run
from abreast.places import Places, find_places

Progress = Callable[[Run], None]


def unseen(run: Run) -> None:
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
