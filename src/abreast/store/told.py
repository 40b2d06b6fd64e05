"""Notes of sessions to other sessions: on record, and limited."""

import sqlalchemy as sa

from abreast.errors import StateError
from abreast.store.engine import transaction
from abreast.store.requests import Writing, find
from abreast.store.schema import events, sessions

NOTES_AN_HOUR = 10
"""What one session may send: agents that answer each other's notes would go on without end."""
HOUR = 3600.0
TOLD = "tell"
"""The kind of their events. The text begins with the sender; `the user` is a person."""


class NoteBook(Writing):
    """The part of the store that writes down what sessions are told."""

    def tell(self, session: str, sender: str, text: str) -> None:
        """Write down what a session is told, by the session `sender` or, if empty, by the user.

        Raises StateError for a session that has sent as many notes as it may within an hour.
        """
        with transaction(self.engine) as db:
            row = find(db, sessions, session)
            if sender:
                _require_rest(db, sender, self._clock().wall)
            self._append(db, row.run_id, session, TOLD, f"{sender or 'the user'}: {text}")


def _require_rest(db: sa.Connection, sender: str, now: float) -> None:
    mark = f"{sender}: "
    by_it = sa.func.substr(events.c.text, 1, len(mark)) == mark
    sent = sa.select(events.c.at).where(events.c.kind == TOLD, events.c.at > now - HOUR, by_it)
    times = sorted(db.scalars(sent))
    if len(times) < NOTES_AN_HOUR:
        return
    minutes = max(1, round((times[-NOTES_AN_HOUR] + HOUR - now) / 60))
    raise StateError(
        f"{sender} has sent {NOTES_AN_HOUR} notes within an hour, which is the limit",
        hint=f"it may send the next one in {minutes} minutes: say more in fewer notes",
    )
