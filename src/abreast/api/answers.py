"""What delegations have delivered."""

from abreast.api.following import Progress, unseen
from abreast.contract.render import Page
from abreast.engine.client import collecting
from abreast.model.task import Deliverable
from abreast.places import Places, find_places


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
