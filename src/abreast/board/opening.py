"""Which screen each key opens over the board."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from abreast import api
from abreast.board.page_view import LivePage, PageView
from abreast.model.moment import Moment
from abreast.model.snapshot import Row
from abreast.places import Places

if TYPE_CHECKING:
    from rich.text import Text


def opened(kind: str, row: Row, places: Places, clock: Callable[[], Moment]) -> PageView:
    """Return the screen of this kind: log and diff of a session, run, queue, or costs."""
    run = row.session.run
    match kind:
        case "log":
            from abreast.board.log_view import LogView

            return LogView(row.id, places, runs=not row.session.state.final)
        case "diff":
            from abreast.board.diff_view import DiffView

            return DiffView(row.id, places)
        case "run":
            return LivePage(f"run {run}", lambda width: _run(run, places, clock, width))
        case "queue":
            return PageView(f"landing of run {run}, if every verify passes", _queue(run, places))
        case _:
            return PageView("costs", _costs(places))


def _run(run: str, places: Places, clock: Callable[[], Moment], width: int) -> "Sequence[Text]":
    from abreast.board.timeline import timeline

    return timeline(api.find_run(run, places=places), clock(), width)


def _queue(run: str, places: Places) -> "Callable[[int], Sequence[Text]]":
    from abreast.board.pages import queue_lines

    return lambda _: queue_lines(run, places)


def _costs(places: Places) -> "Callable[[int], Sequence[Text]]":
    from abreast.board.pages import cost_lines

    return lambda width: cost_lines(width, places)
