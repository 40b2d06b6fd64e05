"""What a session changed."""

from abreast.api.looking import find_session
from abreast.engine.reading import diff as inspect
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
