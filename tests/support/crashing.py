"""A stage whose workers die at one point after another (see `crash_points`)."""

import time
from dataclasses import replace
from pathlib import Path

from abreast import api
from abreast.engine.common import worker_process
from abreast.engine.common.worker_process import ensure_worker
from abreast.errors import WorkerError
from abreast.model.session import Run
from abreast.places import Places
from tests.support.deadlines import SECONDS
from tests.support.nursery import Forked, fork
from tests.support.stage import Stage

_PRELUDE = Path(__file__).with_name("crash_points.py")


class CrashingStage(Stage):
    """Its workers die at each point at which none has died yet, then the work goes on to its end.

    `every` is as in `crash_points`.
    """

    every = False
    points: Path

    def _fork(self, places: Places) -> Forked:
        order = worker_process.successor(places)
        told = {
            "ABREAST_TEST_PRELUDE": str(_PRELUDE),
            "ABREAST_TEST_POINTS": str(self.points),
            "ABREAST_TEST_EVERY": "1" if self.every else "",
        }
        forked = fork(replace(order, env={**order.env, **told}))
        self._forked.append(forked)
        return forked

    def met(self) -> list[str]:
        """The points at which workers have died."""
        file = self.points / "points"
        return file.read_text().splitlines() if file.exists() else []

    def crash_through(self, run: str) -> Run:
        """Start workers until the run has ended, and return it."""
        known, late = 0, time.monotonic() + SECONDS
        while not (found := api.find_run(run, places=self.places)).state.final:
            try:
                ensure_worker(self.places)
            except WorkerError:  # it may have died before it had told who it is
                assert len(self.met()) > known, self._worker_said()
            if len(met := self.met()) > known:
                known, late = len(met), time.monotonic() + SECONDS
            assert time.monotonic() < late, f"nothing happens after {met[-1:]}: {found}"
            time.sleep(0.01)
        return found
