"""Wait for what was begun, and read what comes of it; nothing here starts anything anew."""

from collections.abc import Callable, Iterator

from abreast.api.looking import find_session
from abreast.contract.paging import Page
from abreast.engine.client import collecting, watching
from abreast.engine.reading import diff as inspect
from abreast.engine.reading import story
from abreast.model.contract import Deliverable
from abreast.model.session import LogEvent, Run
from abreast.places import Places, find_places

Progress = Callable[[Run], None]


def unseen(run: Run) -> None:
    """Take no notice."""


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


def logs(name: str, *, follow: bool = False, places: Places | None = None) -> Iterator[LogEvent]:
    """Yield a session's story, oldest first; with `follow`, until it ends."""
    return story.tell(find_session(name, places=places), places or find_places(), follow=follow)


def stream(name: str, *, follow: bool = False, places: Places | None = None) -> Iterator[bytes]:
    """Yield the lines of a session's agent as its CLI printed them (its latest attempt)."""
    return story.stream(find_session(name, places=places), places or find_places(), follow=follow)


def diff(
    name: str, *, stat: bool = False, binary: bool = False, places: Places | None = None
) -> str:
    """Return a session's changes against its base as git prints them, uncommitted ones included.

    With `binary`, `git apply` takes it whatever has changed. Bytes that are no text are surrogates:
    `os.fsencode` gives them back.
    """
    session = find_session(name, places=places)
    return inspect.diff(session, places or find_places(), stat=stat, binary=binary)


def collect(
    name: str,
    *,
    wait: bool = False,
    timeout: float | None = None,
    progress: Progress | None = None,
    places: Places | None = None,
) -> list[Deliverable]:
    """Return what the children of this run, or this one child, have delivered so far.

    With `wait`, all of it: once the last one has ended, or after `timeout` seconds what there is.
    `RUN/TASK@1` is what the first attempt delivered, after a newer one has followed.
    """
    where = places or find_places()
    if wait:
        collecting.collect(name, where)  # raises at once for what is not a delegation
        collecting.wait(name, where, timeout=timeout, progress=progress or unseen)
    return collecting.collect(name, where)


def more(name: str, page: int = 2, *, places: Places | None = None) -> Page:
    """Return a page of a child's deliverable, from 1; joined, the pages are the whole text.

    Raises NotFoundError when there is no such page.
    """
    return collecting.page(name, page, places or find_places())
