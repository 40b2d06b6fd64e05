"""A list of lines that is drawn line by line: only those that have changed are drawn again.

Textual's DataTable takes 100 ms for one changed cell of a thousand rows; this takes what the lines
on the screen take.
"""

from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip


class LineView(ScrollView, can_focus=True):
    """Lines under a fixed head of `head_lines`, with a cursor on one of them.

    A subclass says how many lines there are, on which of them the cursor may stand, and how one is
    drawn. It posts `CursorMoved` when the cursor comes to stand on another line, and `LineChosen`
    when that line is entered.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "go(1)", "Down", show=False),
        Binding("up,k", "go(-1)", "Up", show=False),
        Binding("pagedown,ctrl+d", "page(1)", "Page down", show=False),
        Binding("pageup,ctrl+u", "page(-1)", "Page up", show=False),
        Binding("home", "end(-1)", "First", show=False),
        Binding("end,G", "end(1)", "Last", show=False),
        Binding("enter", "choose", "Open", show=False),
    ]
    DEFAULT_CSS = """
    LineView { scrollbar-size: 1 1; overflow-x: hidden; }
    """

    head_lines = 0

    class CursorMoved(Message):
        """The cursor stands on another line."""

        def __init__(self, view: "LineView") -> None:
            super().__init__()
            self.view = view

        @property
        def control(self) -> "LineView":
            return self.view

    class LineChosen(CursorMoved):
        """A line was entered, or clicked twice."""

    def __init__(self) -> None:
        super().__init__()
        self.cursor = 0
        self._strips: dict[int, Strip] = {}

    def count(self) -> int:
        """Return how many lines there are."""
        raise NotImplementedError

    def can_stand(self, index: int) -> bool:
        """Return whether the cursor may stand on a line."""
        return bool(self.count()) and index >= 0

    def head(self, number: int) -> list[Segment]:
        """Return a line of the head."""
        raise NotImplementedError

    def drawn(self, index: int, *, chosen: bool) -> list[Segment]:
        """Return a line as it is shown now, `self.room` cells wide."""
        raise NotImplementedError

    @property
    def room(self) -> int:
        """The cells that a line has."""
        return self.scrollable_content_region.width

    @property
    def shown_lines(self) -> int:
        """How many lines fit under the head."""
        return max(0, self.scrollable_content_region.height - self.head_lines)

    def renew(self) -> None:
        """Draw what has changed since it was drawn last."""
        self.cursor = self._nearest(self.cursor)
        size = Size(0, self.count() + self.head_lines)
        if size != self.virtual_size:
            self.virtual_size = size  # which draws what is below the end, too
        width = self.room
        for y in range(self.scrollable_content_region.height):
            strip = self._strip(y, width)
            known = self._strips.get(y)
            # A strip knows no equality of its own.
            if known is None or known._segments != strip._segments:  # noqa: SLF001
                self._strips[y] = strip
                self.refresh(Region(0, y, width, 1))

    def _strip(self, y: int, width: int) -> Strip:
        if y < self.head_lines:
            return Strip(self.head(y), width)
        index = y - self.head_lines + self.scroll_offset.y
        if not 0 <= index < self.count():
            return Strip.blank(width)
        return Strip(self.drawn(index, chosen=index == self.cursor), width)

    def render_line(self, y: int) -> Strip:
        """Return the line at `y`, counted from the top of the widget."""
        strip = self._strips[y] = self._strip(y, self.room)
        return strip

    def on_resize(self) -> None:
        """Draw everything in the new size."""
        self._strips.clear()
        self.refresh()

    def move(self, index: int) -> None:
        """Put the cursor on a line, or the nearest on which it can stand, and show that."""
        index = self._nearest(index)
        moved, self.cursor = index != self.cursor, index
        self._show_cursor()
        self.renew()
        if moved:
            self.post_message(self.CursorMoved(self))

    def _show_cursor(self) -> None:
        top, room = self.scroll_offset.y, self.shown_lines
        # The heading over the first line of a group is shown with it.
        above = self.cursor - 1 if not self.can_stand(self.cursor - 1) else self.cursor
        if above < top:
            self.scroll_to(y=max(0, above), animate=False, immediate=True)
        elif self.cursor >= top + room:
            self.scroll_to(y=self.cursor - room + 1, animate=False, immediate=True)

    def _nearest(self, index: int) -> int:
        count = self.count()
        index = max(0, min(index, count - 1))
        for distance in range(count):
            for near in (index + distance, index - distance):
                if 0 <= near < count and self.can_stand(near):
                    return near
        return 0

    def _step(self, index: int, by: int) -> int:
        while 0 <= index + by < self.count():
            index += by
            if self.can_stand(index):
                return index
        return self.cursor

    def action_go(self, by: int) -> None:
        """Move the cursor to the next line on which it can stand."""
        if self.cursor != (there := self._step(self.cursor, by)):
            self.move(there)

    def action_page(self, by: int) -> None:
        """Move the cursor by what is shown at once."""
        self.move(self.cursor + by * max(1, self.shown_lines - 1))

    def action_end(self, by: int) -> None:
        """Move the cursor to the first or the last line."""
        self.move(self.count() - 1 if by > 0 else 0)

    def action_choose(self) -> None:
        """Enter the line at the cursor."""
        if self.can_stand(self.cursor):
            self.post_message(self.LineChosen(self))

    def on_click(self, event: events.Click) -> None:
        """Put the cursor where it was clicked; a second click enters the line."""
        index = event.y - self.head_lines + self.scroll_offset.y
        if event.y < self.head_lines or not (0 <= index < self.count() and self.can_stand(index)):
            return
        self.move(index)
        if event.chain == 2:
            self.action_choose()
