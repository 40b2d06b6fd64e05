"""`abreast ui` as a Textual program: its terminal, its feed, and what it tells the terminal."""

import asyncio
from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import App
from textual.command import Provider
from textual.message import Message
from textual.screen import Screen

from abreast.api import noticing
from abreast.board.feed import Feed
from abreast.board.notices import (
    GIVE_TITLE_BACK,
    KEEP_TITLE,
    notice_sequence,
    title,
    title_sequence,
)
from abreast.board.palette import Actions
from abreast.board.screen import BoardScreen
from abreast.board.work import begin
from abreast.errors import AbreastError
from abreast.faces.alerts import Seen, begun, seen
from abreast.model.alert import Alert
from abreast.model.moment import Moment
from abreast.model.snapshot import Snapshot
from abreast.places import Places
from abreast.process import clock as clocks

BEAT = 5.0  # seconds between two notes that a face is open: workers wait for three
_TOLD = 3  # notices at once


class Board(App[None]):
    """The board of this machine's sessions. It begins with nothing shown, and reads at once."""

    TITLE = "abreast"
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {Actions}
    # A reversed line is enough of a cursor in any colours; frames are ours.
    CSS = """
    Toast {
        background: ansi_default; width: auto; max-width: 90%; padding: 0 1; margin: 0;
        border: round ansi_blue;
    }
    Toast.-error { border: round ansi_red; }
    """

    def __init__(self, places: Places, clock: Callable[[], Moment] = clocks.now) -> None:
        super().__init__()
        self.theme = "ansi-dark"  # the terminal's own colours
        self._board = BoardScreen(places, clock)
        self._feed = Feed(places, self._from_feed, self._from_feed)
        self._fed: Snapshot | AbreastError | None = None
        self._seen: Seen | None = None
        self._places = places
        self._titled = ""

    def get_default_screen(self) -> Screen[object]:
        """Return the screen that is shown first."""
        return self._board

    def on_mount(self) -> None:
        """Begin to read."""
        self._send(KEEP_TITLE)
        begin(self, self._note, "note")
        self.set_interval(BEAT, self._note)
        self.call_after_refresh(self.run_worker, self._feed.run, thread=True, group="feed")

    async def on_unmount(self) -> None:
        """Leave the terminal as it was, and the feed's thread to its end."""
        self._feed.end()
        await self._note(open=False)
        self._send(GIVE_TITLE_BACK)

    class Fed(Message):
        """The feed has read something."""

    def _from_feed(self, found: Snapshot | AbreastError) -> None:
        """Take what the feed's thread has read; what has not been shown yet is left out."""
        waits, self._fed = self._fed, found
        if waits is None:
            self.post_message(self.Fed())

    def on_board_fed(self) -> None:
        """Show the latest of what was read."""
        found, self._fed = self._fed, None
        if found is None:
            return
        if isinstance(found, AbreastError):
            self._board.fail(found)
            return
        self._board.show(found)
        new = [] if self._seen is None else list(begun(self._seen, found))
        self._seen = seen(found)
        for alert in new[:_TOLD]:
            self.bell()
            self._send(notice_sequence(alert))
        if new:
            self.run_worker(lambda: self._tell(new), thread=True, group="told")
        if (now := title(found)) != self._titled:
            self._titled = now
            self._send(title_sequence(now))

    def _tell(self, alerts: Sequence[Alert]) -> None:
        """Tell a person on their desktop and by their own command; how that went is shown."""
        for alert in alerts:
            for mishap in noticing.notify(alert):
                self.call_later(self.notify, mishap, severity="warning", markup=False)

    async def _note(self, *, open: bool = True) -> None:  # noqa: A002 (as in `note_face`)
        """Let workers know that a person is told from here."""
        await asyncio.to_thread(noticing.note_face, open=open, places=self._places)

    def _send(self, sequence: str) -> None:
        """Send the terminal what is not for its screen."""
        if self._driver:
            self._driver.write(sequence)
            self._driver.flush()
