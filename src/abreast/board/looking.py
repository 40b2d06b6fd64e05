"""What the peek reads of one session, while the cursor stands on it; in a thread."""

from collections import deque

from abreast.api import comparing, stories
from abreast.board.peek import Looked
from abreast.errors import AbreastError
from abreast.model.snapshot import Row
from abreast.places import Places

_EVENTS = 8


def look_at(row: Row, places: Places) -> Looked:
    """Return the latest of a session's story, and its page if it has ended with something."""
    try:
        story = deque(stories.logs(row.id, places=places), _EVENTS)
        ended = row.session.state.final and bool(row.session.branch)
        page = comparing.show(row.id, places=places) if ended else None
    except AbreastError:  # it has been cleaned away meanwhile, say: what the row tells is shown
        return Looked(row.id)
    return Looked(row.id, tuple(story), page)
