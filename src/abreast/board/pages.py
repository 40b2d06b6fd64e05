"""The pages of a run, of what waits to land, and of costs: read, and returned as lines."""

from rich.text import Text

from abreast import api
from abreast.board.columns import fitted
from abreast.faces import figures
from abreast.faces.states import LAND_STYLES
from abreast.model.economy import By, Delegation, Ledger, LedgerRow
from abreast.model.session import LandState
from abreast.places import Places

_DAYS = "14d"
_WILL = {LandState.LANDED: "lands", LandState.BOUNCED: "bounces", LandState.PROPOSED: "is proposed"}
"""What a landing will come to, while nothing of it has happened."""


def queue_lines(run: str, places: Places) -> list[Text]:
    """Return in which order a run lands, why, and what that comes to if every verify passes."""
    lines = []
    for number, one in enumerate(api.forecast_landing(run, places=places), 1):
        line = Text(f"{number:>3} ", "dim").append(one.session, "bold").append("  ")
        line.append(_WILL.get(one.outcome, one.outcome), LAND_STYLES[one.outcome])
        line.append(f"  {figures.one_line(one.why)}", "dim")
        lines.append(line)
        if one.reason:
            lines.append(Text(f"      {figures.one_line(one.reason)}", "yellow"))
        lines += [Text(f"      {figures.one_line(title)}", "dim") for title in one.commits]
        if one.conflicts:
            lines.append(Text(f"      conflicts with {', '.join(one.conflicts)}", "red"))
    return lines or [Text(f"nothing of run {run} can land", "dim")]


def cost_lines(width: int, places: Places) -> list[Text]:
    """Return what sessions have used by day, agent and run, and what delegations kept out."""
    lines: list[Text] = []
    for by in (By.DAY, By.AGENT, By.RUN):
        found = api.ledger(since=_DAYS, by=by, places=places)
        lines += [Text(f"by {by}, the last 14 days", "bold"), *_bars(found, width), Text()]
    lines += _kept_out(found.delegations, width)
    if found.prices:
        lines += [Text(), Text(f"estimated by price lists of {found.prices}", "dim")]
    return lines + [Text(figures.one_line(note), "yellow") for note in found.notes]


def _bars(ledger: Ledger, width: int) -> list[Text]:
    if not ledger.rows:
        return [Text("  nothing", "dim")]
    most = max(_tokens(row) for row in ledger.rows) or 1
    room = max(6, width - 44)
    lines = []
    for row in (*ledger.rows, ledger.total):
        share = "" if row is ledger.total else "█" * round(room * _tokens(row) / most)
        line = Text(f"  {fitted(figures.one_line(row.name), 16)} ")
        line.append(f"{figures.count(_tokens(row)):>7} tokens ")
        line.append(f"{figures.money(row.cost.usd):>9}  ").append(share, "blue")
        lines.append(line)
    return lines


def _tokens(row: LedgerRow) -> int:
    return row.input_tokens + row.output_tokens


def _kept_out(delegations: tuple[Delegation, ...], width: int) -> list[Text]:
    lines = [Text("kept out of their parents by delegations, in tokens", "bold")]
    for one in delegations:
        line = Text(f"  {fitted(figures.one_line(one.child), max(10, width - 40))} ")
        line.append(f"{figures.count(one.kept_out):>7} kept out, net ")
        good = one.net is not None and one.net > 0
        lines.append(line.append(f"{figures.count(one.net):>7}", "green" if good else "red"))
    return lines if delegations else [*lines, Text("  nothing", "dim")]
