"""How things stand in a line, and telling a person who looks at something else."""

import os

from abreast.engine.common import faces_open
from abreast.model.alert import Alert
from abreast.places import Places, find_places


def status_line(*, places: Places | None = None) -> str:
    """Return how things stand in a few words, such as `2 need you, 3 working`; for prompts.

    It is empty when nothing goes on and nobody is needed. A prompt that asks for it within the hour
    again gets it at once, from what a worker keeps.
    """
    from abreast.engine.reading.snapshots import count_line

    return count_line(places or find_places())


def notify(alert: Alert) -> list[str]:
    """Tell an alert as the user's settings say, and return what went wrong with it.

    That is on the desktop, where there is one, and by their own command. It takes at most 20
    seconds. `abreast.faces.alerts` finds what is to be told.
    """
    from abreast.engine.common.notifying import deliver
    from abreast.engine.common.settings_files import user_layers
    from abreast.plan.settings import notify_of

    return deliver(alert, notify_of(user_layers(os.environ)), os.environ)


def note_face(*, open: bool, places: Places | None = None) -> None:  # noqa: A002 (the plain word)
    """Note that a face is open which tells by itself: for 15 seconds, or until it is closed.

    Meanwhile a worker tells nothing.
    """
    where = places or find_places()
    if open:
        faces_open.note_open(where)
    else:
        faces_open.note_closed(where)
