"""A whole screen of text: lines with a cursor, found by words; it is read in a thread."""

import asyncio
from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Footer, Input, Static

from abreast.board.columns import style
from abreast.board.line_view import LineView
from abreast.board.work import begin
from abreast.errors import AbreastError
from abreast.faces import figures


class TextLines(LineView):
    """Lines of styled text; each is one line, and what does not fit is cut off."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: Sequence[Text] = ()

    def show(self, texts: Sequence[Text]) -> None:
        """Show these lines instead; where the cursor was at the end, it stays there."""
        at_end = bool(self.texts) and self.cursor == len(self.texts) - 1
        self.texts = texts
        if at_end:
            self.move(len(texts) - 1)
        self.renew()

    def count(self) -> int:
        return len(self.texts)

    def drawn(self, index: int, *, chosen: bool) -> list[Segment]:
        parts = self.texts[index].render(self.app.console, end="")
        segments = [Segment(text, one or style("")) for text, one, _ in parts]
        cells = Segment.adjust_line_length(segments, self.room)
        if not chosen:
            return cells
        mark = style("reverse")
        return [Segment(one.text, (one.style or style("")) + mark) for one in cells]


class PageView(Screen[object]):
    """A page over the board. `read` returns its lines for a width; it is called in a thread."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave", "back", key_display="Esc"),
        Binding("slash", "search", "search", key_display="/"),
        Binding("n", "find(1)", "next"),
        Binding("N", "find(-1)", "before", show=False),
        Binding("ctrl+c", "app.quit", "quit", show=False),
    ]
    DEFAULT_CSS = """
    PageView #title { height: 1; text-style: bold; text-wrap: nowrap; text-overflow: ellipsis; }
    PageView TextLines { width: 1fr; }
    PageView #search { display: none; border: none; height: 1; padding: 0; }
    PageView.-searching #search { display: block; }
    """

    def __init__(self, title: str, read: Callable[[int], Sequence[Text]] | None = None) -> None:
        super().__init__()
        self._title, self._read = title, read
        self.lines = TextLines()

    def compose(self) -> ComposeResult:
        yield Static(figures.one_line(self._title), id="title", markup=False)
        yield from self.body()
        yield Input(id="search", placeholder="find; Enter goes to the next", compact=True)
        yield Footer(compact=True, show_command_palette=False)

    def body(self) -> ComposeResult:
        """Yield what is between the title and the keys."""
        yield self.lines

    def on_mount(self) -> None:
        """Read, once its size is known."""
        self.lines.focus()
        if self._read:
            self.lines.show([Text("reading…", "dim")])
            self.call_after_refresh(self.read_again)

    def read_again(self) -> None:
        """Read all of it anew."""
        begin(self, self._shown, "read")

    async def _shown(self) -> None:
        if not self._read:
            return
        try:
            lines = await asyncio.to_thread(self._read, self.lines.room)
        except AbreastError as error:
            hint = f"\nhint: {error.hint}" if error.hint else ""
            lines = [Text(one, "red") for one in figures.harmless(f"{error}{hint}").split("\n")]
        self.lines.show(lines or [Text("nothing", "dim")])

    def action_leave(self) -> None:
        """Go back to where it was opened from."""
        if self.has_class("-searching"):
            self.remove_class("-searching")
            self.lines.focus()
        else:
            self.dismiss()

    def action_search(self) -> None:
        """Ask for what to find."""
        self.add_class("-searching")
        self.query_one("#search", Input).focus()

    def on_input_submitted(self) -> None:
        """Go to the next line that has it."""
        self.lines.focus()
        self.action_find(1)

    def action_find(self, by: int) -> None:
        """Go to the next line that has what was looked for, from the other end again."""
        wanted = self.query_one("#search", Input).value.casefold()
        many = self.lines.count()
        for step in range(1, many + 1) if wanted else ():
            index = (self.lines.cursor + by * step) % many
            if wanted in self.lines.texts[index].plain.casefold():
                self.lines.move(index)
                return
        if wanted:
            self.notify(f"no line has {figures.one_line(wanted)!r}", markup=False)


class LivePage(PageView):
    """A page that is read again each second."""

    def on_mount(self) -> None:
        """Begin to read it again and again."""
        super().on_mount()
        self.set_interval(1.0, self.read_again)
