"""A stage whose workers die at one point after another, or stand still while a fault strikes.

See `crash_points` for the points, `faults` for the faults.
"""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from abreast import api
from abreast.engine.common import worker_process
from abreast.engine.common.worker_process import ensure_worker
from abreast.errors import WorkerError
from abreast.model.moves import Shell
from abreast.model.session import Run, RunState, SessionState
from abreast.places import Places
from tests.support.deadlines import SECONDS
from tests.support.faults import Fault, Scene
from tests.support.nursery import Forked, fork
from tests.support.stage import Stage

_PRELUDE = Path(__file__).with_name("crash_points.py")
_COMMANDS = "command:"  # a station of a command is named so, not by a pattern of points


def command_station(word: str) -> str:
    """Return what a station is found by at which a command stands still (see `stands`)."""
    return f"{_COMMANDS}{word}"


class CrashingStage(Stage):
    """Its workers die at each point at which none has died yet, then the work goes on to its end.

    `every` is as in `crash_points`. With `strike_through` they live, and faults strike instead.
    """

    every = False
    points: Path
    hold = ""
    anew: Path | None = None
    """Where it is given, a session that has failed is begun anew, and finds this file then."""

    def _fork(self, places: Places) -> Forked:
        order = worker_process.successor(places)
        told = {
            "ABREAST_TEST_PRELUDE": str(_PRELUDE),
            "ABREAST_TEST_POINTS": str(self.points),
            "ABREAST_TEST_EVERY": "1" if self.every else "",
            "ABREAST_TEST_HOLD": self.hold,
        }
        forked = fork(replace(order, env={**order.env, **told}))
        self._forked.append(forked)
        return forked

    def __exit__(self, *told: Any) -> None:  # noqa: PYI036 (as given)
        (self.points / "free").touch()  # of a test that has failed: nobody stands still any more
        super().__exit__(*told)

    def met(self) -> list[str]:
        """The points at which workers have died, or stood still."""
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

    def stands(self, word: str) -> Shell:
        """A command that stands still, once, until what strikes there has struck.

        It does not where no fault is to strike at the station `word`.
        """
        here, go = self.points / f"{word}.here", self.points / f"{word}.go"
        scratch = f"{self.points}/{word}.$$"
        told = f"echo {command_station(word)} > {scratch}; mv {scratch} {here}"
        wait = f"until [ -e {go} -o -e {self.points}/free ]; do sleep 0.02; done"
        return Shell(
            f"if [ -e {self.points}/{word}.wanted ] && [ ! -e {go} ]; then {told}; {wait}; fi"
        )

    def expects(self, stations: Mapping[str, str]) -> None:
        """Have the workers and commands from now on stand still at these stations.

        By name, the pattern of a point's name or a `command_station`.
        """
        patterns = [one for one in stations.values() if not one.startswith(_COMMANDS)]
        self.hold = "|".join(f"(?:{one})" for one in patterns) or "(?!)"
        for one in stations.values():
            if one.startswith(_COMMANDS):
                (self.points / f"{one.removeprefix(_COMMANDS)}.wanted").touch()

    def strike_through(
        self,
        run: str,
        fault: Fault,
        stations: Mapping[str, str],
        look: Callable[[Scene], None] = lambda _: None,
        beside: str = "",
    ) -> list[str]:
        """Strike with `fault` at each of the stations once, until the run is done; where it struck.

        `look` is called before it strikes, when it has struck, and when it is made good again. A
        run that ends otherwise is resumed, at most once for each stroke, or what is hinted at is
        done instead. So is the run `beside` it, whose end is not waited for.
        """
        struck, resumed, late = list[str](), 0, time.monotonic() + SECONDS
        while (found := api.find_run(run, places=self.places)).state is not RunState.DONE:
            if found.state.final:
                resumed += 1
                assert resumed <= len(struck), (
                    found.note,
                    [(s.state, s.reason) for s in found.sessions],
                )
                self._go_on(found)
            if beside and api.find_run(beside, places=self.places).state is RunState.FAILED:
                api.resume(beside, places=self.places)
            ensure_worker(self.places)
            if here := next(iter(sorted(self.points.glob("*.here"))), None):
                scene = self._scene(run, here, stations)
                struck.append(scene.station)
                late = time.monotonic() + SECONDS
                self._strike(fault, scene, here, look)
            assert time.monotonic() < late, f"nothing happens after {struck[-1:]}: {found}"
            time.sleep(0.01)
        return struck

    def _go_on(self, ended: Run) -> None:
        """Do what a person is told to do: start a session anew, or resume the run."""
        if self.anew:
            self.anew.touch()
        failed = [one for one in ended.sessions if one.state is not SessionState.DONE]
        anew = [one.id for one in failed if self.anew or "abreast retry" in one.hint]
        for name in anew:
            api.retry(name, places=self.places)
        if not failed:  # a landing has bounced: what was rewritten meanwhile, say
            api.land(ended.id, places=self.places)
        elif not anew:
            api.resume(ended.id, places=self.places)

    def _scene(self, run: str, here: Path, stations: Mapping[str, str]) -> Scene:
        told = here.read_text().strip()
        if told.startswith(_COMMANDS):
            name = next(name for name, one in stations.items() if one == told)
            return Scene(self, run, name)
        names = (
            name
            for name, one in stations.items()
            if not one.startswith(_COMMANDS) and re.search(one, told)
        )
        return Scene(self, run, next(names), told)

    def _strike(
        self, fault: Fault, scene: Scene, here: Path, look: Callable[[Scene], None]
    ) -> None:
        look(scene)
        fault.strike(scene)
        look(scene)
        here.rename(here.with_suffix(".struck"))
        here.with_suffix(".go").touch()
        fault.heal(scene)
        look(scene)
