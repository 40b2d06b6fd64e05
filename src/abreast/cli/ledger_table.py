"""The ledger on a terminal: rows with a small bar, delegations, runs side by side."""

from collections import Counter
from collections.abc import Sequence

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.text import Text

from abreast.cli.console import Column, Grid
from abreast.economics.words import signed
from abreast.faces import figures
from abreast.model.economy import By, Cost, Delegation, Ledger, LedgerRow, Parallel, Worth

_ROWS = 40  # of sessions and runs, the newest
_DELEGATIONS = 10
_BAR = 10  # cells
_STYLES = {Worth.GAIN: "green", Worth.LOSS: "red", Worth.UNKNOWN: "dim"}


def whole(found: Ledger) -> RenderableType:
    """Return the tables of a ledger, one below the other."""
    parts: list[RenderableType] = [_Rows(found)]
    if found.delegations:
        parts += [Text(), *_delegations(found.delegations)]
    if found.runs:
        parts += [Text(), _runs(found.runs[-_ROWS:])]
    if legend := _legend(found):
        parts += [Text(), Text(legend, "dim")]
    return Group(*parts)


class _Rows:
    """The rows; their bar needs to know whether the terminal has blocks."""

    def __init__(self, found: Ledger) -> None:
        self._found = found

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        found, block = self._found, "#" if options.ascii_only else "█"
        cut = found.by in {By.SESSION, By.RUN}
        shown = found.rows[-_ROWS:] if cut else found.rows
        named = found.by is By.SESSION
        columns = [Column(found.by.value, least=14 if named else None)]
        columns += [Column("agent"), Column("where", least=6)] if named else []
        columns += [] if named else [Column("sessions", right=True)]
        columns += [Column(name, right=True) for name in ("requests", "in", "cached", "out")]
        columns += [Column("cost", right=True), Column("", least=0)]
        most = max(row.input_tokens for row in shown)
        bar = _BAR - 2 if found.by is By.MODEL else _BAR  # their names are long
        rows = []
        for row in shown:
            length = max(1, round(bar * row.input_tokens / most)) if row.input_tokens else 0
            rows.append([*_cells(row, found.by), Text(block * length, "cyan")])
        if len(shown) > 1 or cut:
            cells = _cells(found.total, found.by, "total")
            rows.append([Text(cell.plain, "bold") for cell in cells] + [Text()])
        yield Grid(columns, rows)
        if left := len(found.rows) - len(shown):
            yield Text(f"{left} earlier ones are in the total; --json has them all", "dim")


def _cells(row: LedgerRow, by: By, name: str = "") -> list[Text]:
    if by is By.SESSION:
        where = "" if name else row.cwd.rstrip("/").rpartition("/")[2]
        agents = "" if name else ", ".join(row.agents)
        head = [Text(name or _named(row.name)), Text(agents), Text(figures.one_line(where))]
    else:
        head = [Text(name or figures.one_line(row.name)), Text(figures.count(row.sessions))]
    counts = (row.requests, row.input_tokens, row.cached_tokens, row.output_tokens)
    return [*head, *(Text(figures.count(n)) for n in counts), Text(cost(row.cost))]


def cost(found: Cost) -> str:
    """Return `$1.25`; `~` marks an estimate, `+` that a part is not known."""
    if found.usd is None:
        return figures.UNKNOWN
    more = "+" if found.unpriced else ""
    return f"{'~' if found.estimated is not None else ''}{figures.money(found.usd)}{more}"


def _delegations(found: Sequence[Delegation]) -> list[RenderableType]:
    columns = (
        Column("delegation", least=12),
        Column("agent"),
        Column("of", least=8),
        Column("start-up", right=True),
        Column("summary", right=True),
        Column("kept out", right=True),
        Column("net", right=True),
        Column("verdict"),
    )
    rows = [
        (
            Text(_named(one.child)),
            Text(one.agent),
            Text(_named(one.parent) or figures.UNKNOWN),
            Text(figures.count(one.start_up)),
            Text(
                ("~" if one.estimated and one.summary is not None else "")
                + figures.count(one.summary)
            ),
            Text(figures.count(one.kept_out)),
            Text(signed(one.net), _STYLES[one.worth]),
            Text(one.worth, _STYLES[one.worth]),
        )
        for one in found[-_DELEGATIONS:]
    ]
    counts = Counter(one.worth for one in found)
    told = ", ".join(f"{counts[worth]} {worth}" for worth in Worth if counts[worth])
    known = [one.net for one in found if one.net is not None]
    net = sum(known) if known else None
    shown = f", the newest {_DELEGATIONS} shown" if len(found) > _DELEGATIONS else ""
    text = f"{figures.counted(len(found), 'delegation')}{shown}: {told}; net {signed(net)} tokens"
    return [Grid(columns, rows), Text(text)]


def _named(session: str) -> str:
    # The first characters of an id are enough to tell sessions apart, of a run's not.
    told = session if "/" in session else session[:13]
    return figures.one_line(told)


def _runs(found: Sequence[Parallel]) -> Grid:
    numbers = ("sessions", "wall", "one by one", "faster", "in", "out")
    columns = (Column("run", least=12), *(Column(name, right=True) for name in numbers))
    rows = [
        (
            Text(one.run),
            Text(str(one.sessions)),
            Text(figures.duration(one.wall)),
            Text(figures.duration(one.work)),
            Text(f"{one.gained:.1f}x"),
            Text(figures.count(one.input_tokens)),
            Text(figures.count(one.output_tokens)),
        )
        for one in found
    ]
    return Grid(columns, rows)


def _legend(found: Ledger) -> str:
    told = []
    if found.total.cost.estimated is not None:
        told.append(f"~ estimate by price lists of {found.prices}")
    if any(one.estimated and one.summary is not None for one in found.delegations):
        told.append("a summary with ~ is counted from its text")
    if found.total.cost.unpriced and found.total.cost.usd is not None:
        told.append("+ models without a price")
    if found.since:
        told.append(f"since {figures.moment(found.since)}")
    return "; ".join(told)
