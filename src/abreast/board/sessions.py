"""The list of all sessions, in groups: a line each."""

from collections.abc import Callable, Sequence

from rich.segment import Segment

from abreast.board.columns import RowLayout, drawn, head, layout_of
from abreast.board.line_view import LineView
from abreast.board.lines import Heading, Line
from abreast.model.moment import Moment
from abreast.model.snapshot import Row


class SessionList(LineView):
    """The rows of a snapshot under headings. The cursor stays on its session while rows move."""

    head_lines = 1

    def __init__(self, clock: Callable[[], Moment]) -> None:
        super().__init__()
        self._clock = clock
        self._lines: Sequence[Line] = ()
        self._layout: RowLayout | None = None
        self._chosen = ""

    @property
    def row(self) -> Row | None:
        """The session at the cursor."""
        line = self._lines[self.cursor] if self.cursor < len(self._lines) else None
        return line if isinstance(line, Row) else None

    def rows(self) -> list[Row]:
        """Return all rows, in the order in which they are shown."""
        return [line for line in self._lines if isinstance(line, Row)]

    def show(self, lines: Sequence[Line]) -> None:
        """Show these lines; the cursor stays on its session, or where that was."""
        self._lines, self._layout = lines, None
        for index, line in enumerate(lines):
            if isinstance(line, Row) and line.id == self._chosen:
                self.cursor = index
                break
        else:
            self.cursor = self.cursor if self._chosen else 0
        self.renew()
        if self._chosen:  # until somebody moves it, the cursor is on the first session
            self._remember()

    def choose(self, name: str) -> None:
        """Put the cursor on the session of this id."""
        for index, line in enumerate(self._lines):
            if isinstance(line, Row) and line.id == name:
                self.move(index)

    def move(self, index: int) -> None:
        """See `LineView.move`."""
        super().move(index)
        self._remember()

    def _remember(self) -> None:
        self._chosen = self.row.id if self.row else ""

    def count(self) -> int:
        return len(self._lines)

    def can_stand(self, index: int) -> bool:
        return 0 <= index < len(self._lines) and not isinstance(self._lines[index], Heading)

    def head(self, number: int) -> list[Segment]:  # noqa: ARG002 (there is one)
        return head(self._widths())

    def drawn(self, index: int, *, chosen: bool) -> list[Segment]:
        return drawn(self._lines[index], self._widths(), self._clock(), chosen=chosen)

    def _widths(self) -> RowLayout:
        if self._layout is None or self._layout.width != self.room:
            self._layout = layout_of(self.rows(), self.room)
        return self._layout
