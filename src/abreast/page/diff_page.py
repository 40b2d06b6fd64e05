"""A diff as rows of a page: colours of the language, and the words that changed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup, escape

from abreast.faces.diffs import DiffFile, DiffHunk, DiffLine
from abreast.faces.syntax import LineParts, coloured_lines
from abreast.model.text import harmless

_CSS = {"+": "added", "-": "deleted", "\\": "remark"}

MOST_LINES = 5_000
"""Lines of a page: a browser draws so many at once without a pause."""


@dataclass(frozen=True)
class PageLine:
    """`html` is the text, escaped, with its colours. `css` is its class."""

    old: int | None
    new: int | None
    mark: str
    css: str
    html: Markup


@dataclass(frozen=True)
class PageHunk:
    heading: str
    lines: tuple[PageLine, ...]


@dataclass(frozen=True)
class PageDiff:
    """One file as a page shows it."""

    path: str
    status: str
    before: str
    notes: tuple[str, ...]
    added: int
    deleted: int
    hunks: tuple[PageHunk, ...]


def page_diff(files: Sequence[DiffFile]) -> tuple[list[PageDiff], int]:
    """Return the files as a page shows them, and how many lines of all were left out."""
    room, left, found = MOST_LINES, 0, []
    for file in files:
        hunks = []
        for hunk in file.hunks:
            kept = hunk.lines[: max(room, 0)]
            room, left = room - len(kept), left + len(hunk.lines) - len(kept)
            if kept:
                hunks.append(_hunk(file.path, DiffHunk(hunk.heading, kept)))
        found.append(
            PageDiff(
                path=file.path,
                status=file.status,
                before=file.before,
                notes=file.notes,
                added=file.added,
                deleted=file.deleted,
                hunks=tuple(hunks),
            )
        )
    return found, left


def _hunk(path: str, hunk: DiffHunk) -> PageHunk:
    coloured: dict[int, LineParts] = {}
    for sides in ("- ", "+ "):  # each side is source by itself
        at = [n for n, line in enumerate(hunk.lines) if line.kind in sides]
        coloured.update(
            zip(at, coloured_lines(path, [hunk.lines[n].text for n in at]), strict=True)
        )
    lines = [_line(line, coloured.get(n, ())) for n, line in enumerate(hunk.lines)]
    return PageHunk(hunk.heading, tuple(lines))


def _line(line: DiffLine, parts: LineParts) -> PageLine:
    css, mark = _CSS.get(line.kind, ""), line.kind.strip()
    html = Markup("").join(_pieces(line, parts or (("", line.text),)))
    return PageLine(line.old, line.new, mark, css, html)


def _pieces(line: DiffLine, parts: LineParts) -> Iterator[Markup]:
    """Yield the text in pieces, each of one kind and either changed or not."""
    edges = {edge for span in line.changed for edge in span}
    at = 0
    for kind, text in parts:
        cuts = sorted({at, at + len(text), *(e for e in edges if at < e < at + len(text))})
        for start, end in pairwise(cuts):
            piece = escape(harmless(text[start - at : end - at]))
            if kind:
                piece = Markup('<span class="k-{}">{}</span>').format(kind, piece)
            if any(a <= start < b for a, b in line.changed):
                piece = Markup("<b>{}</b>").format(piece)
            yield piece
        at += len(text)
