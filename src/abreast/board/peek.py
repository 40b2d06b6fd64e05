"""The peek: what the session at the cursor says, does and needs, and a line to write to it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.message import Message
from textual.widgets import Input, Static

from abreast.board.peek_text import peek_text
from abreast.model.action import Action
from abreast.model.moment import Moment
from abreast.model.session import LogEvent
from abreast.model.session_page import SessionPage
from abreast.model.snapshot import Row


@dataclass(frozen=True)
class Looked:
    """What was read of one session: its latest events, and its page once it has ended."""

    session: str
    story: Sequence[LogEvent] = ()
    page: SessionPage | None = None


class Peek(Vertical):
    """A session beside the list, and under it the line of a reply while one is written."""

    DEFAULT_CSS = """
    Peek { width: 2fr; border-left: solid $panel; padding: 0 1; }
    Peek VerticalScroll { scrollbar-size: 1 1; height: 1fr; }
    Peek #does { height: auto; max-height: 4; color: ansi_yellow; }
    Peek Input { height: 3; border: round ansi_blue; }
    """

    class Written(Message):
        """The person has written `text`, for this action."""

        def __init__(self, action: Action, text: str) -> None:
            super().__init__()
            self.action, self.text = action, text

    def __init__(self, clock: Callable[[], Moment]) -> None:
        super().__init__()
        self._said = Static(markup=False)
        self._does = Static(id="does", markup=False)
        self._reply = Input(placeholder="Enter sends it, Esc leaves")
        self._clock = clock
        self._row: Row | None = None
        self._looked = Looked("")
        self._shown = Text()
        self._to: Action | None = None  # what the reply is for, wherever the cursor goes meanwhile

    def compose(self) -> ComposeResult:
        self._scroll = VerticalScroll(self._said, can_focus=False)
        yield self._scroll
        yield self._does
        yield self._reply

    def on_mount(self) -> None:
        """Begin without a reply."""
        self._does.display = self._reply.display = False

    @property
    def replying(self) -> bool:
        return self._to is not None

    def show(self, row: Row | None, looked: Looked | None = None) -> None:
        """Show this session as it stands now, and what was read of it if that is at hand."""
        self._row = row
        if looked:
            self._looked = looked
        if row is None:
            text = Text("no session is chosen", "dim")
        else:
            known = self._looked if self._looked.session == row.id else Looked("")
            text = peek_text(row, self._clock(), known.story, known.page)
        if text != self._shown or text.spans != self._shown.spans:
            self._shown = text
            self._said.update(text)

    def write(self, action: Action) -> None:
        """Ask for the words that go along with an action."""
        self._to = action
        self._does.update(Text(f"{action.session} {action.does}"))
        self._does.display = self._reply.display = True
        self._reply.focus()

    def read_only(self) -> None:
        """Let the arrows scroll what is there, where nothing can be written."""
        self._scroll.can_focus = True
        self._scroll.focus()

    def leave(self) -> None:
        """Take the line for a reply away; what was written stays for the next."""
        self._to = None
        self._scroll.can_focus = False
        self._does.display = self._reply.display = False

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Hand on what was written."""
        event.stop()
        if self._to and event.value.strip():
            self.post_message(self.Written(self._to, event.value))
            event.input.clear()
            self.leave()
