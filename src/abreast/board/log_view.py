"""The log of a session, live: its story as it grows, tool calls folded."""

import threading
from typing import ClassVar

from textual.binding import Binding, BindingType

from abreast.api.stories import story_looks
from abreast.board.line_view import LineView
from abreast.board.log_lines import log_lines
from abreast.board.page_view import PageView
from abreast.errors import AbreastError
from abreast.model.session import LogEvent
from abreast.places import Places


class LogView(PageView):
    """Follows the story of one session. The cursor stays at the end until it is moved up."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "fold", "unfold", key_display="Enter"),
        Binding("f", "fold_all", "all"),
        Binding("a", "attach", "stop and open"),
    ]

    def __init__(self, session: str, places: Places, *, runs: bool) -> None:
        super().__init__(f"log of {session}")
        self._session, self._places, self._runs = session, places, runs
        self._events: list[LogEvent] = []
        self._unfolded: set[int] = set()
        self._folds: list[int] = []
        self._begun = False
        self._given_up = threading.Event()

    def on_mount(self) -> None:
        """Follow it, in a thread."""
        super().on_mount()
        self.run_worker(self._follow, thread=True, group="follow")

    def action_attach(self) -> None:
        """Leave with the wish to stop the session and open it."""
        self.dismiss("attach")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return whether it acts: only what runs can be stopped."""
        return self._runs if action == "attach" else super().check_action(action, parameters)

    def on_unmount(self) -> None:
        """Let the thread end."""
        self._given_up.set()

    def _follow(self) -> None:
        try:
            for events in story_looks(self._session, self._given_up, places=self._places):
                if events:
                    self.call_later(self._add, events)
        except AbreastError as error:
            self.call_later(self.notify, str(error), severity="error", markup=False)

    def _add(self, events: list[LogEvent]) -> None:
        self._events += events
        self._draw()
        if not self._begun:
            self._begun = True
            self.lines.action_end(1)

    def _draw(self) -> None:
        lines, self._folds = log_lines(self._events, self.lines.room, self._unfolded)
        self.lines.show(lines)

    def on_resize(self) -> None:
        """Break the lines anew."""
        self.call_after_refresh(self._draw)

    def on_line_view_line_chosen(self, event: LineView.LineChosen) -> None:
        """Fold or unfold the calls at the cursor."""
        event.stop()
        self.action_fold()

    def action_fold(self) -> None:
        """Show the tool calls at the cursor one by one, or folded again."""
        if self.lines.cursor < len(self._folds):
            fold = self._folds[self.lines.cursor]
            if fold >= 0:
                self._unfolded ^= {fold}
                self._draw()
                self.lines.move(self._folds.index(fold))

    def action_fold_all(self) -> None:
        """Show all tool calls one by one, or all folded."""
        self._unfolded = set() if self._unfolded else set(range(len(self._events)))
        self._draw()
