"""What a session changed, and the page to decide about it by."""

from abreast.api.looking import find_run, find_session
from abreast.engine.reading import diff as inspect
from abreast.model.session_page import SessionPage
from abreast.places import Places, find_places


def diff(
    name: str, *, stat: bool = False, binary: bool = False, places: Places | None = None
) -> str:
    """Return a session's changes against its base as git prints them, uncommitted ones included.

    With `binary`, `git apply` takes it whatever has changed. Bytes that are no text are surrogates:
    `os.fsencode` gives them back.
    """
    session = find_session(name, places=places)
    return inspect.diff(session, places or find_places(), stat=stat, binary=binary)


def show(name: str, *, places: Places | None = None) -> SessionPage:
    """Return the page of a session: intent, files, checks, conflicts, risks, what landing does."""
    from abreast.engine.reading.page import page_of

    where = places or find_places()
    session = find_session(name, places=where)
    return page_of(session, find_run(session.run, places=where), where)
