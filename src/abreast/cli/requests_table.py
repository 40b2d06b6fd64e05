"""How the pull requests of a run stand, as a table."""

from collections.abc import Iterable

from rich.text import Text

from abreast.cli.console import Column, Grid
from abreast.faces import figures
from abreast.model.pull_request import RequestState, SessionRequest

_STYLES = {
    RequestState.OPEN: "cyan",
    RequestState.DRAFT: "dim",
    RequestState.MERGED: "green",
    RequestState.CLOSED: "yellow",
}


def requests_table(requests: Iterable[SessionRequest]) -> Grid:
    """Return one row for each pull request: how it stands at its forge."""
    columns = (
        Column("session", least=12),
        Column("request"),
        Column("checks"),
        Column("review", least=8),
        Column("address", least=16, fill=True),
    )
    return Grid(columns, [_request_row(one) for one in requests])


def _request_row(one: SessionRequest) -> tuple[Text, ...]:
    where = Text(figures.one_line(one.address))
    if one.request is None:
        return (Text(one.session), Text("unknown", "yellow"), Text("-"), Text("-"), where)
    state, checks = one.request.state, one.request.checks
    counts = {"failed": checks.failed, "pending": checks.pending, "passed": checks.passed}
    said = ", ".join(f"{number} {word}" for word, number in counts.items() if number)
    style = "red" if checks.failed else "yellow" if checks.pending else "green"
    return (
        Text(one.session),
        Text(state, _STYLES[state]),
        Text(said or "-", style if said else ""),
        Text(figures.one_line(one.request.review) or "-"),
        where,
    )
