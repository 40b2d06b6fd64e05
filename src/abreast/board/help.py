"""The keys, shown over the board."""

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from abreast.board.keys import listed


class Help(ModalScreen[None]):
    """All keys and what they do; any of Esc, `?` and `q` leaves it."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape,question_mark,q,enter", "dismiss", "back")]
    DEFAULT_CSS = """
    Help { align: center middle; }
    Help VerticalScroll {
        width: 64; max-width: 100%; height: auto; max-height: 100%;
        border: round ansi_blue; padding: 0 1; background: ansi_default; scrollbar-size: 1 1;
    }
    """

    def compose(self) -> ComposeResult:
        box = VerticalScroll(Static(keys_text(), markup=False))
        box.border_title = "keys"
        yield box


def keys_text() -> Text:
    """Return a line for each key."""
    text = Text()
    for keys, about in listed():
        text.append(f"{keys:<11}", "bold").append(f"{about}\n")
    text.rstrip()
    return text
