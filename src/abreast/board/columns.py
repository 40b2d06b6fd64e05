"""One session as one line: which columns there is room for, and what is in them. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style

from abreast.board.lines import Heading, Line, repository
from abreast.faces import figures, rows
from abreast.faces.states import LAND_STYLES, MARKS, SESSION_STYLES
from abreast.model.moment import Moment
from abreast.model.session import LandState, SessionKind
from abreast.model.snapshot import Row

_DOING = 22  # cells that what a session does has at least, before another column comes in
_NAME = (10, 30)  # cells of a name at least and at most


@dataclass(frozen=True)
class RowColumn:
    """What a column shows. `rank` says which come first where there is no room for all."""

    heading: str
    width: int
    rank: int
    text: Callable[[Row, Moment], str]
    right: bool = False


def _time(row: Row, now: Moment) -> str:
    return figures.duration(row.session.took(now))


def _age(row: Row, now: Moment) -> str:
    return figures.age(row.age(now))


_BEFORE = (
    RowColumn("agent", 8, 0, lambda row, _: figures.one_line(row.session.agent)),
    RowColumn("repository", 14, 5, lambda row, _: repository(row)),
    RowColumn("run", 6, 6, lambda row, _: row.session.run),
    RowColumn("time", 7, 2, _time, right=True),
    RowColumn("age", 4, 1, _age, right=True),
)
_AFTER = (
    RowColumn("tokens", 6, 7, lambda row, _: figures.count(row.tokens), right=True),
    RowColumn("cost", 6, 4, lambda row, _: figures.money(row.session.usage.cost_usd), right=True),
    RowColumn("files", 13, 3, lambda row, _: rows.files(row.session), right=True),
)


@dataclass(frozen=True)
class RowLayout:
    """Which columns a line has in `width` cells; what is left is for what the session does."""

    width: int
    name: int
    before: tuple[RowColumn, ...]
    after: tuple[RowColumn, ...]

    @property
    def doing(self) -> int:
        columns = sum(one.width + 1 for one in (*self.before, *self.after))
        return max(0, self.width - 2 - self.name - 1 - _STATE - 1 - columns)


_STATE = 10  # cells: the longest word for a state is "committing"


def layout_of(found: Iterable[Row], width: int) -> RowLayout:
    """Return the layout for these rows; a repository is only named where there are several."""
    names, repositories = _NAME[0], set()
    for row in found:
        child = row.session.kind is SessionKind.CHILD
        names = max(names, len(rows.name_of(row.session) if child else row.session.task))
        repositories.add(row.repo)
    name = min(names, _NAME[1], max(_NAME[0], width // 4))
    layout = RowLayout(width, name, (), ())
    for column in sorted((*_BEFORE, *_AFTER), key=lambda one: one.rank):
        if column.heading == "repository" and len(repositories) < 2:
            continue
        before = tuple(one for one in _BEFORE if one in layout.before or one is column)
        after = tuple(one for one in _AFTER if one in layout.after or one is column)
        wider = RowLayout(width, name, before, after)
        if column.rank and wider.doing < _DOING:
            break
        layout = wider
    return layout


def head(layout: RowLayout) -> list[Segment]:
    """Return the line of the columns' names."""
    parts = [*(_cell(one.heading, one) for one in layout.before)]
    after = [_cell(one.heading, one) for one in layout.after]
    text = " ".join(
        [
            f"  {set_cell_size('task', layout.name)}",
            set_cell_size("state", _STATE),
            *parts,
            set_cell_size("now", layout.doing),
            *after,
        ]
    )
    return [Segment(set_cell_size(text, layout.width), style("dim"))]


def drawn(
    line: Line, layout: RowLayout, now: Moment, *, chosen: bool, plain: bool = False
) -> list[Segment]:
    """Return a line as segments of exactly `layout.width` cells.

    The `chosen` one is reversed. `plain` is for a terminal without Unicode.
    """
    segments = _heading(line) if isinstance(line, Heading) else _row(line, layout, now, plain)
    text = Segment.adjust_line_length(segments, layout.width)
    if chosen:
        mark = style("reverse")
        return [Segment(one.text, (one.style or style("")) + mark) for one in text]
    return text


def _heading(line: Heading) -> list[Segment]:
    return [Segment(line.title, style(line.style)), Segment(f"  {line.about}", style("dim"))]


def _row(row: Row, layout: RowLayout, now: Moment, plain: bool) -> list[Segment]:
    session = row.session
    colour = style(SESSION_STYLES[session.state])
    landing = session.landing is not LandState.NONE
    shade = style(LAND_STYLES[session.landing]) if landing else colour
    loud = style("yellow") if row.need else style("")
    before = "".join(f" {_cell(one.text(row, now), one)}" for one in layout.before)
    after = "".join(f" {_cell(one.text(row, now), one)}" for one in layout.after)
    return [
        Segment(f"{MARKS[session.state][plain]} ", colour),
        Segment(fitted(rows.name_of(session), layout.name), style("bold" if row.need else "")),
        Segment(f" {set_cell_size(row.state, _STATE)}", shade),
        Segment(before, style("dim")),
        Segment(f" {fitted(rows.doing(row), layout.doing)}", loud),
        Segment(after, style("dim")),
    ]


def _cell(text: str, column: RowColumn) -> str:
    short = fitted(text, column.width)
    return short.rstrip().rjust(column.width) if column.right else short


def fitted(text: str, width: int) -> str:
    """Return `text` in exactly `width` cells; what is cut off shows as `…`."""
    if len(text) > 4 * width:  # an agent's line may be long, and each character is measured
        text = text[: 4 * width]
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    return set_cell_size(text, width - 1) + "…" if width > 0 else ""


_STYLES: dict[str, Style] = {}


def style(words: str) -> Style:
    """Return the style of these words, such as `bold yellow`; the same object each time."""
    found = _STYLES.get(words)
    if found is None:
        found = _STYLES[words] = Style.parse(words or "none")
    return found
