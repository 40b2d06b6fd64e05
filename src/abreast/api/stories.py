"""What a session did: its story, and the lines of its agent."""

import threading
from collections.abc import Iterator

from abreast.api.looking import find_session
from abreast.engine.reading import story
from abreast.model.session import LogEvent
from abreast.places import Places, find_places


def logs(name: str, *, follow: bool = False, places: Places | None = None) -> Iterator[LogEvent]:
    """Yield a session's story, oldest first; with `follow`, until it ends."""
    return story.tell(find_session(name, places=places), places or find_places(), follow=follow)


def story_looks(
    name: str, given_up: threading.Event, *, places: Places | None = None
) -> Iterator[list[LogEvent]]:
    """Yield a session's story as it grows, what was found at once together, until it ends.

    It ends, too, once somebody has `given_up`, from another thread.
    """
    where = places or find_places()
    yield from story.looks(find_session(name, places=where), where, follow=True, given_up=given_up)


def stream(name: str, *, follow: bool = False, places: Places | None = None) -> Iterator[bytes]:
    """Yield the lines of a session's agent as its CLI printed them (its latest attempt)."""
    return story.stream(find_session(name, places=places), places or find_places(), follow=follow)
