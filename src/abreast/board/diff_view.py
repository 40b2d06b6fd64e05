"""The diff of a session: against its base, or as landing it would change its target."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult, SuspendNotSupported
from textual.binding import Binding, BindingType
from textual.containers import Horizontal

from abreast import api
from abreast.api import terminals
from abreast.board.diff_lines import Placed, diff_lines, file_line
from abreast.board.line_view import LineView
from abreast.board.page_view import PageView, TextLines
from abreast.board.work import begin
from abreast.errors import AbreastError
from abreast.faces import figures
from abreast.faces.diffs import DiffFile, read_diff
from abreast.places import Places

_BY_COLON = frozenset({"hx", "helix", "zed", "subl"})  # editors that take `file:line`
_BY_GOTO = frozenset({"code", "code-insiders", "codium", "cursor"})  # `--goto file:line`


class DiffView(PageView):
    """Files at the left where there is room, their lines beside them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right_square_bracket,J", "hunk(1)", "hunk", key_display="]"),
        Binding("left_square_bracket,K", "hunk(-1)", "before", key_display="["),
        Binding("m", "merged", "as merged"),
        Binding("e", "edit", "edit"),
        Binding("tab", "other", "files", show=False),
    ]
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012 (as in its class)
    DEFAULT_CSS = """
    DiffView #files { width: 34; border-right: solid $panel; }
    DiffView.-narrow #files { display: none; }
    """

    def __init__(self, session: str, places: Places) -> None:
        super().__init__(f"diff of {session} against its base", self._read_lines)
        self._session, self._places = session, places
        self._merged = False
        self._files: tuple[DiffFile, ...] = ()
        self._placed: list[Placed] = []
        self._list = TextLines()
        self._list.id = "files"

    def body(self) -> ComposeResult:
        """Yield the files and the lines."""
        yield Horizontal(self._list, self.lines)

    def _read_lines(self, _: int) -> Sequence[Text]:
        said = api.diff(self._session, as_merged=self._merged, places=self._places)
        self._files = read_diff(said)
        self._placed = diff_lines(self._files)
        self.call_later(self._list.show, [file_line(file) for file in self._files])
        return [one.text for one in self._placed]

    def on_line_view_cursor_moved(self, event: LineView.CursorMoved) -> None:
        """Let the list of files and the lines go together."""
        if event.view is self._list and self._list.has_focus:
            starts = [n for n, one in enumerate(self._placed) if one.file == self._list.cursor]
            if starts:
                self.lines.move(starts[0])
        elif event.view is self.lines and self.lines.cursor < len(self._placed):
            self._list.move(self._placed[self.lines.cursor].file)

    def on_line_view_line_chosen(self, event: LineView.LineChosen) -> None:
        """Go from a file to its lines."""
        event.stop()
        self.lines.focus()

    def action_other(self) -> None:
        """Go from the files to the lines, or back."""
        there = self.lines if self._list.has_focus else self._list
        there.focus()

    def action_hunk(self, by: int) -> None:
        """Go to the next hunk, or the one before."""
        at = self.lines.cursor
        starts = [n for n, one in enumerate(self._placed) if one.hunk]
        ahead = [n for n in starts if n > at] if by > 0 else [n for n in starts[::-1] if n < at]
        if ahead:
            self.lines.move(ahead[0])

    def action_merged(self) -> None:
        """Show what landing it would change in its target as that is now, or its own changes."""
        self._merged = not self._merged
        how = "as merged with its target" if self._merged else "against its base"
        self.query_one("#title").update(f"diff of {self._session} {how}")  # type: ignore[attr-defined]
        self.read_again()

    def action_edit(self) -> None:
        """Open the file at the cursor in the person's editor, at its line."""
        if self.lines.cursor < len(self._placed):
            begin(self, partial(self._edited, self._placed[self.lines.cursor]), "edit")

    async def _edited(self, placed: Placed) -> None:
        path = self._files[placed.file].path
        try:
            terminal = await asyncio.to_thread(terminals.edit, self._session, places=self._places)
            argv = at_line(terminal.command.argv[:-1], terminal.cwd / path, placed.line)
            opened = replace(terminal, command=replace(terminal.command, argv=argv))
            try:
                with self.app.suspend():
                    terminals.occupy(opened)
            finally:
                await asyncio.to_thread(terminals.close_session, self._session, places=self._places)
        except (AbreastError, SuspendNotSupported) as error:
            hint = getattr(error, "hint", "") or ""
            said = figures.harmless(f"{error}\n{hint}").strip()
            self.notify(said, severity="error", markup=False)
        self.read_again()


def at_line(editor: Sequence[str], path: Path, line: int) -> tuple[str, ...]:
    """Return the command that opens a file at a line, in the way that this editor knows."""
    name = Path(editor[0]).name
    if not line:
        return (*editor, str(path))
    if name in _BY_GOTO:
        return (*editor, "--goto", f"{path}:{line}")
    if name in _BY_COLON:
        return (*editor, f"{path}:{line}")
    return (*editor, f"+{line}", str(path))
