"""A rich console for texts that are not ours, and columns that keep to the terminal's width."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from abreast.model.text import harmless

BOUNDLESS = 1_000_000
"""The width in cells of what is no terminal: nothing is cut or wrapped there."""


class OurConsole(Console):
    """Print texts harmlessly: what acts on the terminal are our styles and cursor movements alone.

    A text is never markup, which could make links of foreign words. What is no terminal gets whole
    values and whole lines, whatever COLUMNS says: programs with readline leave that to others.
    """

    def __init__(self, *, file: IO[str] | None = None, stderr: bool = False) -> None:
        bound = file is None or file.isatty()
        super().__init__(
            file=file,
            stderr=stderr,
            width=None if bound else BOUNDLESS,
            markup=False,
            emoji=False,
            highlight=False,
        )

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


@dataclass(frozen=True)
class Column:
    """One column. `least` is how narrow it may get (None: it never gives way).

    A column with `fill` starts at its least width and takes what the others leave; where nothing
    bounds a line, what it needs.
    """

    heading: str
    right: bool = False
    least: int | None = None
    fill: bool = False


@dataclass(frozen=True)
class Grid:
    """Rows under headings, one line each, cut where the terminal ends.

    When the rows are too wide, the gaps shrink first, then the columns that may give way, from
    left to right.
    """

    columns: Sequence[Column]
    rows: Sequence[Sequence[Text]]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        widths, gap = self._fit(options.max_width)
        headings = [Text(column.heading, "bold") for column in self.columns]
        overflow = "crop" if options.ascii_only else "ellipsis"
        for row in (headings, *self.rows):
            line = Text(no_wrap=True, overflow="crop")
            for cell, column, width in zip(row, self.columns, widths, strict=True):
                shown = cell
                if cell.cell_len > width:
                    shown = cell.copy()
                    shown.truncate(width, overflow=overflow)  # type: ignore[arg-type]  # one of two
                padding = " " * (width - shown.cell_len)
                if column.right:
                    line.append(padding).append_text(shown).append(" " * gap)
                else:
                    line.append_text(shown).append(padding + " " * gap)
            line.rstrip()
            yield line

    def _fit(self, room: int) -> tuple[list[int], int]:
        """Return the width of each column and of the gap between two."""
        widths = [self._wanted(n) for n in range(len(self.columns))]
        gaps = len(self.columns) - 1
        gap = 2 if sum(widths) + 2 * gaps <= room else 1
        spare = room - sum(widths) - gap * gaps
        for n, column in enumerate(self.columns):
            if column.least is not None and spare < 0:
                given = min(-spare, max(0, widths[n] - column.least))
                widths[n] -= given
                spare += given
        for n, column in enumerate(self.columns):
            if column.fill:
                most = self._natural(n) if room >= BOUNDLESS else widths[n] + spare
                widths[n] = max(len(column.heading), most)
                spare = 0
        return widths, gap

    def _wanted(self, n: int) -> int:
        column, natural = self.columns[n], self._natural(n)
        return min(natural, column.least or 0) if column.fill else natural

    def _natural(self, n: int) -> int:
        return max([len(self.columns[n].heading), *(row[n].cell_len for row in self.rows)])
