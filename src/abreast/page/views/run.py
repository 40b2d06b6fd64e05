"""One run: its sessions in groups, and when each was at work."""

from abreast.faces.timeline import timeline
from abreast.model.snapshot import Snapshot
from abreast.page.live import Parts
from abreast.page.rendering import part
from abreast.page.views.board import BoardView
from abreast.process import clock

_TEMPLATE = "run_parts.html"


class RunView:
    """The board of one run, under its time line."""

    def __init__(self, run: str) -> None:
        self.run = run
        self._board = BoardView()

    def parts(self, snapshot: Snapshot) -> Parts:
        found = next((one for one in snapshot.runs if one.run.id == self.run), None)
        if found is None:
            return {"gone": part(_TEMPLATE, "gone", self.run)}
        bars = timeline(found.run, found.presence.at(clock.now()))
        return {
            "head": part(_TEMPLATE, "head", found),
            "timeline": part(_TEMPLATE, "plot", bars),
            **self._board.parts(snapshot),
        }
