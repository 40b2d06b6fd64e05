"""A rich console for texts that are not ours, and columns that keep to the terminal's width."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from abreast.faces.figures import UNKNOWN
from abreast.model.text import harmless

MINOR = 7  # a column with such a `drop`, or a higher one, goes before a name is cut
_READABLE = 48  # cells of a text that fills a line, where others have nothing to say
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
    bounds a line, what it needs. Where not all columns have room, those with `drop` are left out,
    the highest first; one that is empty in every row is always left out.
    """

    heading: str
    right: bool = False
    least: int | None = None
    fill: bool = False
    drop: int = 0


@dataclass(frozen=True)
class Grid:
    """Rows under headings, one line each, cut where the terminal ends.

    When the rows are too wide, columns go in which nothing is known of any row; then the gaps
    shrink, then the columns that may give way, from left to right; at last columns with `drop` go.
    A row of one text alone is a heading over those that follow.
    """

    columns: Sequence[Column]
    rows: Sequence[Sequence[Text]]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        kept = self._kept(options.max_width)
        widths, gap = self._fit(kept, options.max_width)
        headings = [Text(column.heading, "bold") for column in self.columns]
        overflow = "crop" if options.ascii_only else "ellipsis"
        for row in (headings, *self.rows):
            line = Text(no_wrap=True, overflow="crop")
            if self._is_heading(row):
                line.append_text(row[0])
                line.truncate(options.max_width, overflow=overflow)  # type: ignore[arg-type]
                yield line
                continue
            for n, width in zip(kept, widths, strict=True):
                shown, column = row[n], self.columns[n]
                if shown.cell_len > width:
                    shown = shown.copy()
                    shown.truncate(width, overflow=overflow)  # type: ignore[arg-type]  # one of two
                padding = " " * (width - shown.cell_len)
                if column.right:
                    line.append(padding).append_text(shown).append(" " * gap)
                else:
                    line.append_text(shown).append(padding + " " * gap)
            line.rstrip()
            yield line

    def _is_heading(self, row: Sequence[Text]) -> bool:
        return len(row) == 1 < len(self.columns)

    def _cells(self, n: int) -> list[Text]:
        return [row[n] for row in self.rows if not self._is_heading(row)]

    def _kept(self, room: int) -> list[int]:
        """Return which columns are shown."""
        known = [{cell.plain for cell in self._cells(n)} for n in range(len(self.columns))]
        kept = [n for n, one in enumerate(self.columns) if not one.drop or known[n] - {""}]
        by_rank = sorted(kept, key=lambda n: -self.columns[n].drop)
        for n in [n for n in by_rank if self.columns[n].drop and known[n] <= {"", UNKNOWN}]:
            if sum(map(self._readable, kept)) + len(kept) - 1 <= room:
                break
            kept.remove(n)
        for n in [n for n in by_rank if n in kept and self.columns[n].drop]:
            minor = self.columns[n].drop >= MINOR
            if sum(map(self._wanted if minor else self._least, kept)) + len(kept) - 1 <= room:
                break
            kept.remove(n)
        return kept

    def _fit(self, kept: Sequence[int], room: int) -> tuple[list[int], int]:
        """Return the width of each column that is shown, and of the gap between two."""
        widths = [self._wanted(n) for n in kept]
        gaps = len(kept) - 1
        gap = 2 if sum(widths) + 2 * gaps <= room else 1
        spare = room - sum(widths) - gap * gaps
        for at, n in enumerate(kept):
            given = min(max(0, -spare), widths[at] - self._least(n))
            widths[at] -= given
            spare += given
        for at, n in enumerate(kept):
            if self.columns[n].fill:
                most = self._natural(n) if room >= BOUNDLESS else widths[at] + spare
                widths[at] = max(len(self.columns[n].heading), most)
                spare = 0
        return widths, gap

    def _least(self, n: int) -> int:
        least = self.columns[n].least
        return self._wanted(n) if least is None else min(self._wanted(n), least)

    def _wanted(self, n: int) -> int:
        column, natural = self.columns[n], self._natural(n)
        return min(natural, column.least or 0) if column.fill else natural

    def _readable(self, n: int) -> int:
        return min(self._natural(n), _READABLE) if self.columns[n].fill else self._natural(n)

    def _natural(self, n: int) -> int:
        return max([len(self.columns[n].heading), *(cell.cell_len for cell in self._cells(n))])
