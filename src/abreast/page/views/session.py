"""One session: how it stands, what it asks, what can be done, what it did."""

from abreast import api
from abreast.errors import AbreastError
from abreast.model.action import Action, ActionKind
from abreast.model.session import LogEvent
from abreast.model.session_page import SessionPage
from abreast.model.snapshot import Row, Snapshot, Watched
from abreast.page.live import Parts
from abreast.page.rendering import part
from abreast.places import Places

_TEMPLATE = "session_parts.html"
_EVENTS = 40  # the newest of the log; its own page has all


class SessionView:
    """What is slow to find, such as its diff's size and its conflicts, is asked when it changes."""

    def __init__(self, session: str, places: Places, *, read_only: bool) -> None:
        self.session, self.run = session, session.partition("/")[0]
        self._places, self._read_only = places, read_only
        self._known: tuple[object, SessionPage | None] | None = None

    def parts(self, snapshot: Snapshot) -> Parts:
        found = row_of(snapshot, self.session)
        if found is None:
            return {"gone": part(_TEMPLATE, "gone", self.session)}
        row, watched = found
        page = self._page(row)
        offered = () if self._read_only else api.actions(row, watched)
        return {
            "head": part(_TEMPLATE, "head", row),
            "asks": part(_TEMPLATE, "asks", row, not self._read_only),
            "actions": part(_TEMPLATE, "actions", row, by_form(offered)),
            "about": part(_TEMPLATE, "about", row, page),
            "events": part(_TEMPLATE, "events", row, self._events()),
        }

    def _page(self, row: Row) -> SessionPage | None:
        """Return what there is to decide by; None where that cannot be read now."""
        if self._known is None or self._known[0] is not row.session:
            try:
                page = api.show(self.session, places=self._places)
            except AbreastError:
                page = None
            self._known = row.session, page
        return self._known[1]

    def _events(self) -> list[LogEvent]:
        try:
            return [*api.logs(self.session, places=self._places)][-_EVENTS:]
        except AbreastError:
            return []


def row_of(snapshot: Snapshot, session: str) -> tuple[Row, Watched] | None:
    """Return the row of a session and its run, if they are in the snapshot."""
    row = next((row for row in snapshot.rows if row.id == session), None)
    run = next((one for one in snapshot.runs if row and one.run.id == row.session.run), None)
    return (row, run) if row and run else None


def by_form(offered: tuple[Action, ...]) -> list[Action]:
    """Return what a page can do: no terminal; a question has a form of its own."""
    return [one for one in offered if one.kind not in {ActionKind.ATTACH, ActionKind.ANSWER}]
