"""The screen of the board: the list of sessions, the peek beside it, and what their keys do."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.screen import Screen
from textual.widgets import Footer, Input, Static

from abreast import api
from abreast.board import acts
from abreast.board.confirm import Confirm
from abreast.board.help import Help
from abreast.board.keys import BAR, DIGITS
from abreast.board.line_view import LineView
from abreast.board.lines import Grouping, laid_out, numbers
from abreast.board.opening import opened
from abreast.board.peek import Looked, Peek
from abreast.board.sessions import SessionList
from abreast.board.work import begin
from abreast.errors import AbreastError
from abreast.faces import figures
from abreast.faces.filtering import parse_words
from abreast.faces.states import GROUP_STYLES
from abreast.model.action import ActionKind
from abreast.model.moment import Moment
from abreast.model.session import SessionKind
from abreast.model.snapshot import Row, Snapshot, Watched
from abreast.places import Places

if TYPE_CHECKING:
    from textual.timer import Timer

_REST = 0.3  # seconds that the cursor stands before more is read of a session
_AGAIN = 2.0  # seconds between two looks at a session that is at work


class BoardScreen(Screen[object]):
    """All sessions. The latest snapshot is handed to `show`."""

    BINDINGS: ClassVar[list[BindingType]] = [key.binding for key in (*BAR, *DIGITS)]
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012 (as in its class)
    DEFAULT_CSS = """
    BoardScreen #summary { height: 1; text-wrap: nowrap; text-overflow: ellipsis; }
    BoardScreen SessionList { width: 3fr; }
    BoardScreen #filter { display: none; border: none; height: 1; padding: 0; }
    BoardScreen.-filtering #filter { display: block; }
    BoardScreen.-narrow Peek { display: none; border-left: none; width: 1fr; }
    BoardScreen.-narrow.-peeking Peek { display: block; }
    BoardScreen.-narrow.-peeking SessionList { display: none; }
    """

    def __init__(self, places: Places, clock: Callable[[], Moment]) -> None:
        super().__init__()
        self._places, self._clock = places, clock
        self._snapshot = Snapshot("")
        self._grouping = Grouping.STATE
        self._trouble = ""
        self._summary = Text()
        self._ready = False
        self._top = Static(id="summary", markup=False)
        self._filter = Input(
            id="filter", placeholder="words, and s:STATE a:AGENT r:REPOSITORY", compact=True
        )
        self.list, self.peek = SessionList(clock), Peek(clock)
        self._reading: Timer | None = None

    def compose(self) -> ComposeResult:
        yield self._top
        yield Horizontal(self.list, self.peek)
        yield self._filter
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        """Let the times go on while nothing else changes."""
        self._ready = True
        self.list.focus()
        self._lay_out()
        self.set_interval(1.0, self._tick)

    @property
    def _words(self) -> str:
        return self._filter.value

    def show(self, snapshot: Snapshot) -> None:
        """Show a snapshot; the cursor stays on its session."""
        self._snapshot, self._trouble = snapshot, ""
        if self._ready:
            self._lay_out()

    def fail(self, error: AbreastError) -> None:
        """Say that there is nothing new to be shown, and why."""
        trouble = f"{error}; it is tried again"
        if trouble != self._trouble:
            self.complain(error)  # whole, with its hint: the line above cuts it off
        self._trouble = trouble
        self._summarise()

    def _lay_out(self) -> None:
        rows = parse_words(self._words).of(self._snapshot).rows
        before = self.list.row
        self.list.show(laid_out(rows, self._grouping))
        self._summarise()
        row = self.list.row
        self.peek.show(row)
        if row and (not before or row.session is not before.session):
            self._look_soon()

    def _summarise(self) -> None:
        text = Text(no_wrap=True, overflow="ellipsis")
        for group, many in numbers(self._snapshot.rows).items():
            if many:
                text.append(f"{many:,} {group}", GROUP_STYLES[group]).append("  ")
        if self._trouble:
            text = Text(figures.one_line(self._trouble), "red")
        elif not self._snapshot.rows:
            text.append('nothing has run yet; abreast run -t "…" starts a task', "dim")
        elif self._grouping is not Grouping.STATE:
            text.append(f"by {self._grouping}  ", "dim")
        if self._words:
            text.append(f"only {figures.one_line(self._words)}", "dim")
        if text != self._summary or text.spans != self._summary.spans:
            self._summary = text
            self._top.update(text, layout=False)

    def _tick(self) -> None:
        self.list.renew()
        self.peek.show(self.list.row)

    def on_line_view_cursor_moved(self, event: LineView.CursorMoved) -> None:
        """Show the session on which the cursor stands now."""
        if isinstance(event.view, SessionList):
            self.peek.show(event.view.row)
            self._look_soon()

    def _look_soon(self, seconds: float = _REST) -> None:
        if self._reading:
            self._reading.stop()
        self._reading = self.set_timer(seconds, self._look)

    def _look(self) -> None:
        if self.peek.display and (row := self.list.row):
            begin(self, partial(self._looked_at, row), "peek")

    async def _looked_at(self, row: Row) -> None:
        from abreast.board.looking import look_at

        found: Looked = await asyncio.to_thread(look_at, row, self._places)
        now = self.list.row
        if now and now.id == found.session:
            self.peek.show(now, found)
            if not now.session.state.final:
                self._look_soon(_AGAIN)

    def perform(self, call: Callable[[], str]) -> None:
        """Make a call in a thread; say what came of it, or why nothing did."""
        begin(self, partial(self._performed, call), "calls", alone=False)

    async def _performed(self, call: Callable[[], str]) -> None:
        try:
            said = await asyncio.to_thread(call)
        except AbreastError as error:
            self.complain(error)
        else:
            self.notify(figures.harmless(said), markup=False)

    def complain(self, error: AbreastError) -> None:
        """Show an error and its hint."""
        hint = f"\n{error.hint}" if error.hint else ""
        text = figures.harmless(f"{error}{hint}")
        self.notify(text, severity="error", timeout=10, markup=False)

    def action_reply(self) -> None:
        """Look at the session at the cursor, and write to it."""
        if row := self.list.row:
            self.add_class("-peeking")
            self._look_soon(0.01)
            begin(self, partial(self._ask_words, row), "asks")

    async def _ask_words(self, row: Row) -> None:
        try:
            action = await asyncio.to_thread(acts.words_for, row, self._watched(row))
        except AbreastError:
            self.peek.read_only()  # there is nothing to be written to it, but much to be read
        else:
            self.peek.write(action)

    def _watched(self, row: Row) -> Watched:
        return next(one for one in self._snapshot.runs if one.run.id == row.session.run)

    def on_peek_written(self, event: Peek.Written) -> None:
        """Send what was written."""
        self._leave_peek()
        self.perform(lambda: api.act(event.action, event.text, places=self._places))

    def action_act(self, kind: str) -> None:
        """Do something with the session at the cursor, once it is confirmed."""
        if row := self.list.row:
            kinds = [ActionKind(kind)]
            if kinds == [ActionKind.RESUME]:
                kinds.append(ActionKind.RETRY)  # of what is done and has bounced
            self._offer(lambda: acts.proposed(row, self._watched(row), self._places, *kinds))

    def action_answer(self, number: int) -> None:
        """Answer the question of the session at the cursor, once that is confirmed."""
        if row := self.list.row:
            self._offer(lambda: acts.chosen(row, number, self._places))

    def _offer(self, find: Callable[[], acts.Offer]) -> None:
        begin(self, partial(self._offered, find), "asks")

    async def _offered(self, find: Callable[[], acts.Offer]) -> None:
        try:
            step = await asyncio.to_thread(find)
        except AbreastError as error:
            self.complain(error)
            return
        if await self.app.push_screen_wait(Confirm(step.title, step.does, step.more)):
            self.perform(step.call)

    def on_line_view_line_chosen(self, event: LineView.LineChosen) -> None:
        """Open the session that was entered."""
        if isinstance(event.view, SessionList):
            self.action_open_session()

    def action_open_session(self) -> None:
        """Give the terminal to the CLI of the session at the cursor, once that is confirmed."""
        if row := self.list.row:
            begin(self, partial(self._opened, row), "asks")

    async def _opened(self, row: Row) -> None:
        if not row.session.state.final and row.session.kind is not SessionKind.OPEN:
            self.action_page("log")  # which offers to stop it and open it
            return
        try:
            action = await asyncio.to_thread(
                acts.action_of, row, self._watched(row), ActionKind.ATTACH
            )
            if await self.app.push_screen_wait(Confirm(f"open {row.id}", action.does)):
                await self._taken_over(row)
        except AbreastError as error:
            self.complain(error)

    async def _taken_over(self, row: Row) -> None:
        from abreast.board.attaching import attach

        closed = await attach(self.app, row.id, self._places)
        made = f"commit {closed.commit[:7]}" if closed.commit else "no commit"
        self.notify(f"{closed.id}: {closed.state}, {made}", markup=False)

    def action_page(self, kind: str) -> None:
        """Open a whole screen about the session at the cursor, its run, or costs."""
        if row := self.list.row:
            page = opened(kind, row, self._places, self._clock)
            self.app.push_screen(page, lambda wish: self._left(row) if wish == "attach" else None)

    def _left(self, row: Row) -> None:
        begin(self, partial(self._stopped_and_opened, row), "asks")

    async def _stopped_and_opened(self, row: Row) -> None:
        try:
            stop = await asyncio.to_thread(acts.action_of, row, self._watched(row), ActionKind.STOP)
            does = f"{stop.does}\n\nThen it opens its conversation in this terminal."
            if await self.app.push_screen_wait(Confirm(f"stop and open {row.id}", does)):
                await asyncio.to_thread(api.act, stop, places=self._places)
                await self._taken_over(row)
        except AbreastError as error:
            self.complain(error)

    def _leave_peek(self) -> None:
        self.peek.leave()
        self.remove_class("-peeking")
        self.list.focus()

    def action_back(self) -> None:
        """Leave the reply or the filter; in the list, show all again."""
        if self.peek.replying or self.has_class("-peeking"):
            self._leave_peek()
        else:
            self._filter.clear()
            self.remove_class("-filtering")
            self._lay_out()
            self.list.focus()

    def action_filter(self) -> None:
        """Ask which sessions to show."""
        self.add_class("-filtering")
        self._filter.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show at once what fits the words."""
        if event.input.id == "filter":
            self._lay_out()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go back to the list, with what fits in it."""
        if event.input.id == "filter":
            self.set_class(bool(event.value), "-filtering")
            self.list.focus()

    def action_next_need(self) -> None:
        """Go to the next session that needs a person, from the first again after the last."""
        rows = self.list.rows()
        at = next((n for n, row in enumerate(rows) if row is self.list.row), -1)
        needing = [row for row in (*rows[at + 1 :], *rows[: at + 1]) if row.need]
        if needing:
            self.list.choose(needing[0].id)
        else:
            self.notify("nothing needs you", markup=False)

    def action_group(self) -> None:
        """Group by what comes next: state, repository, run."""
        self._grouping = self._grouping.next
        self._lay_out()

    def action_help(self) -> None:
        """Show the keys."""
        self.app.push_screen(Help())

    def action_leave(self) -> None:
        """Leave the board."""
        self.app.exit()
