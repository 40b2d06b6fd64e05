"""What the live view draws: one line a session, in groups, no higher than the terminal."""

from collections.abc import Callable, Sequence

from rich.console import Console, RenderableType
from rich.console import Group as RichGroup
from rich.text import Text

from abreast.cli.console import Column, Grid
from abreast.cli.groups import in_groups, liveliest, parted, run_line
from abreast.cli.notices import conflict_lines
from abreast.faces import figures
from abreast.faces.rows import doing, files, name_of, spent, tally
from abreast.faces.states import MARKS, SESSION_STYLES
from abreast.model.moment import Moment
from abreast.model.session import Run
from abreast.model.snapshot import Row, Snapshot
from abreast.process import clock as clocks

Clock = Callable[[], Moment]

_CONFLICTS = 4  # lines of the view
_LINES_AROUND = 5  # of the view: run, headings, fold line, empty line, tally


class Picture:
    """The live view: one line a session, drawn afresh from the last known state of things."""

    def __init__(self, console: Console, clock: Clock = clocks.now) -> None:
        self._console = console
        self._clock = clock
        self._snapshot: Snapshot | None = None

    @property
    def is_empty(self) -> bool:
        return self._snapshot is None

    def show(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def render(self) -> RenderableType:
        if self._snapshot is None:
            return Text("starting")
        return live(self._snapshot, self._clock(), self._console)


def live(found: Snapshot, now: Moment, console: Console) -> RenderableType:
    """Return the live view of these runs at the time `now`, no higher than the console."""
    clashes = _conflicts(found)
    alone = len(found.runs) == 1
    shown, folded = _fitting(found, console.height - _LINES_AROUND - len(clashes))
    ascii_only = console.options.ascii_only

    def cells(row: Row) -> Sequence[Text]:
        session = row.session
        return (
            Text(MARKS[session.state][ascii_only], SESSION_STYLES[session.state]),
            Text(name_of(session)),
            Text(session.state, SESSION_STYLES[session.state]),
            Text(figures.one_line(session.agent)),
            Text(figures.duration(session.took(now))),
            Text(figures.age(row.age(now))),
            Text(doing(row)),
            Text(figures.count(row.tokens)),
            Text(figures.money(session.usage.cost_usd)),
            Text(files(session)),
        )

    lines: list[Sequence[Text]] = []
    for run, rows in shown:
        if not alone:
            lines += [(Text(),)] if lines else []
            lines.append((_head(run, now),))
        lines += in_groups(rows, cells)
    parts: list[RenderableType] = [_head(run, now) for run, _ in shown] if alone else []
    parts.append(Grid(_COLUMNS, lines))
    if folded:
        dots = "..." if ascii_only else "…"
        rest = f"  {dots} and {figures.counted(len(folded), 'session')} more: "
        parts.append(Text(f"{rest}{tally(row.session for row in folded)}", "dim"))
    sessions = [row.session for row in found.rows]
    foot = Text(tally(sessions), no_wrap=True, overflow="ellipsis")
    used = spent(sessions)
    if used:
        foot.append(f"; {used}")
    return RichGroup(*parts, *clashes, Text(), foot)


def _head(run: Run, now: Moment) -> Text:
    return run_line(run).append(f"  {figures.duration(now.since(run.began))}")


def _fitting(snapshot: Snapshot, room: int) -> tuple[list[tuple[Run, list[Row]]], list[Row]]:
    """Return the runs with those of their rows that fit into `room` lines, and the other rows.

    Runs in the order of their first rows, so that one that needs somebody comes first.
    """
    runs = {one.run.id: one.run for one in snapshot.runs}
    headings: set[object] = set()
    chosen: list[Row] = []
    for row in liveliest(snapshot.rows):
        run = row.session.run
        new = {(run, row.group), *([] if len(runs) == 1 else [run, (run, "an empty line")])}
        room -= 1 + len(new - headings)
        if room < 0 and chosen:
            break
        headings |= new
        chosen.append(row)
    shown, folded = parted(snapshot.rows, chosen)
    of_run: dict[str, list[Row]] = {}
    for row in shown:
        of_run.setdefault(row.session.run, []).append(row)
    return [(runs[name], rows) for name, rows in of_run.items()], folded


def _conflicts(snapshot: Snapshot) -> list[Text]:
    """Return a line for each conflict; of many, the first few and how many more there are."""
    lines = conflict_lines([row.session for row in snapshot.rows])
    rest = len(lines) - _CONFLICTS
    for line in lines:
        line.no_wrap, line.overflow = True, "ellipsis"
    if rest > 0:
        lines[_CONFLICTS:] = [Text(f"  and {figures.counted(rest, 'conflict')} more", "dim")]
    return lines


_COLUMNS = (
    Column(""),
    Column("task", least=14),
    Column("state"),
    Column("agent", least=6, drop=2),
    Column("time", right=True, drop=3),
    Column("age", right=True, drop=7),
    Column("now", least=22, fill=True),
    Column("tokens", right=True, drop=5),
    Column("cost", right=True, drop=4),
    Column("files", right=True, drop=6),
)
