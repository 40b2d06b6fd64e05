"""A rich console for texts that are not ours."""

from collections.abc import Iterable
from typing import IO

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from abreast.model.text import harmless


class OurConsole(Console):
    """Print texts harmlessly: what acts on the terminal are our styles and cursor movements alone.

    A text is never markup, which could make links of foreign words.
    """

    def __init__(self, *, file: IO[str] | None = None, stderr: bool = False) -> None:
        super().__init__(file=file, stderr=stderr, markup=False, emoji=False, highlight=False)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            text, style, control = segment
            if control or text == "\n" or (text.isprintable() and not (style and style.link)):
                yield segment
            else:
                # What others print beside a spinner comes with the links that rich read in it.
                yield Segment(harmless(text), style and style.update_link(None))
