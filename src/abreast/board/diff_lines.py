"""A diff as lines: files, hunks, line numbers, colours of the language, and words that changed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.text import Text

from abreast.faces import figures
from abreast.faces.diffs import DiffFile, DiffHunk, DiffLine
from abreast.faces.syntax import LineParts, coloured_lines

_COLOURS = {
    "comment": "dim",
    "keyword": "magenta",
    "string": "yellow",
    "number": "cyan",
    "name": "blue",
}
_SIDES = {"+": "green", "-": "red", "\\": "dim"}


@dataclass(frozen=True)
class Placed:
    """A line of the diff as it is shown. `line` is the number in the new file, 0 for none."""

    text: Text
    file: int
    line: int = 0
    hunk: bool = False


def diff_lines(files: Sequence[DiffFile]) -> list[Placed]:
    """Return the lines of a diff, each with the file and the line it belongs to."""
    return [placed for number, file in enumerate(files) for placed in _file(number, file)]


def file_line(file: DiffFile) -> Text:
    """Return a file's name with the lines added and deleted."""
    text = Text(f"{file.status[:1].upper()} ", "dim").append(figures.one_line(file.path), "bold")
    return text.append(f" +{file.added}", "green").append(f" -{file.deleted}", "red")


def _file(number: int, file: DiffFile) -> Iterator[Placed]:
    head = file_line(file)
    if file.before:
        head.append(f"  from {figures.one_line(file.before)}", "dim")
    yield Placed(head, number)
    for note in file.notes:
        yield Placed(Text(f"  {figures.one_line(note)}", "dim"), number)
    for hunk in file.hunks:
        yield from _hunk(number, file, hunk)


def _hunk(number: int, file: DiffFile, hunk: DiffHunk) -> Iterator[Placed]:
    first = next((line.new or line.old or 0 for line in hunk.lines), 0)
    title = f"@@ {first}  {figures.one_line(hunk.heading)}"
    yield Placed(Text(title, "cyan"), number, first, hunk=True)
    shown = [_plain(line.text) for line in hunk.lines]
    colours = coloured_lines(file.path, shown)
    at = first
    for line, text, parts in zip(hunk.lines, shown, colours, strict=True):
        at = line.new or at
        yield Placed(_line(line, text, parts), number, at)


def _plain(text: str) -> str:
    """Return a line as it can be shown: as many characters as before, where none of them acts."""
    return text if text.isprintable() else figures.harmless(text).replace("\n", " ").expandtabs(4)


def _line(line: DiffLine, text: str, parts: LineParts) -> Text:
    side = _SIDES.get(line.kind, "dim")
    numbers = f"{line.old or '':>5} {line.new or '':>5} "
    shown = Text(numbers, "dim").append(f"{line.kind} ", side)
    start = len(shown)
    if line.kind in "+-":
        shown.append(text, side)
    else:
        for kind, part in parts:
            shown.append(part, _COLOURS.get(kind, ""))
    if text == line.text:
        for first, last in line.changed:
            shown.stylize("bold reverse", start + first, start + last)
    return shown
