"""What an action will do, shown before it is done."""

from collections.abc import Callable
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from abreast.errors import AbreastError
from abreast.faces import figures


class Confirm(ModalScreen[bool]):
    """Says what will happen; Enter lets it happen, Esc does not.

    `more` is called in a thread for what takes longer to find out, and shown when it is there.
    """

    BINDINGS: ClassVar[list[BindingType]] = [("escape,q,n", "leave", "leave it")]
    DEFAULT_CSS = """
    Confirm { align: center middle; }
    Confirm > Vertical {
        width: 76; max-width: 100%; height: auto; max-height: 100%;
        border: round ansi_yellow; padding: 0 1; background: ansi_default;
    }
    Confirm VerticalScroll { height: auto; max-height: 14; scrollbar-size: 1 1; }
    Confirm Horizontal { height: 1; margin-top: 1; }
    Confirm Button { margin-right: 2; }
    """

    def __init__(self, title: str, does: str, more: Callable[[], str] | None = None) -> None:
        super().__init__()
        self._title, self._more = title, more
        self._text = Text(figures.harmless(does))
        self._does = Static(self._text, markup=False)

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = Text(figures.one_line(self._title)).markup
            with VerticalScroll(can_focus=False):
                yield self._does
            with Horizontal():
                yield Button("Enter: do it", id="yes", compact=True)
                yield Button("Esc: leave it", id="no", compact=True)

    def on_mount(self) -> None:
        """Look for more, while the person reads."""
        self.query_one("#yes").focus()
        if self._more:
            self.run_worker(self._look, thread=True)

    def _look(self) -> None:
        try:
            said = self._more() if self._more else ""
        except AbreastError as error:
            said = str(error)
        if said and self.is_attached:
            self.call_later(self._add, said)

    def _add(self, said: str) -> None:
        self._text.append(f"\n\n{figures.harmless(said)}")
        self._does.update(self._text.copy())

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Take the answer."""
        self.dismiss(event.button.id == "yes")

    def action_leave(self) -> None:
        """Let nothing happen."""
        self.dismiss(False)
