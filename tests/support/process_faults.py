"""Faults of processes: killed, told to end, stopped and continued."""

import contextlib
import signal
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import psutil

from abreast.process.tree import descendants
from abreast.runner.job import load_result, load_runner
from tests.support.deadlines import SECONDS, eventually
from tests.support.faults import Scene

Who = Callable[[Scene], Iterable[psutil.Process]]


def worker(scene: Scene) -> list[psutil.Process]:
    found = scene.stage.worker()
    return [found] if found else []


def runners(scene: Scene) -> list[psutil.Process]:
    """The supervisors that are alive, of all jobs."""
    jobs = [file.parent for file in scene.stage.places.sessions.rglob("job.json")]
    jobs += [file.parent for file in scene.stage.places.runs.rglob("job.json")]
    known = [load_runner(job) for job in jobs if load_result(job) is None]
    return [found for one in known if one and (found := one.find())]


def agents(scene: Scene) -> list[psutil.Process]:
    """What the supervisors have started, itself: the agent, or the shell of a command."""
    return [child for runner in runners(scene) for child in runner.children()]


def everybody(scene: Scene) -> list[psutil.Process]:
    """Worker, runners and all below them, as a power failure ends them."""
    tops = [*worker(scene), *runners(scene)]
    return [*tops, *(one for top in tops for one in descendants(top.pid))]


@dataclass(frozen=True)
class Killed:
    """Processes die without a word."""

    name: str
    who: Who
    stations: Mapping[str, str]

    def strike(self, scene: Scene) -> None:
        victims = list(self.who(scene))
        for victim in victims:
            with contextlib.suppress(psutil.NoSuchProcess):  # its parent has ended it, dying
                victim.kill()
        psutil.wait_procs(victims, timeout=SECONDS)

    def heal(self, scene: Scene) -> None:
        """Nothing is to be made good."""


@dataclass(frozen=True)
class Signalled:
    """Processes are sent a signal that asks them to end, or that a terminal sends."""

    name: str
    who: Who
    number: signal.Signals
    stations: Mapping[str, str]

    def strike(self, scene: Scene) -> None:
        for victim in self.who(scene):
            victim.send_signal(self.number)

    def heal(self, scene: Scene) -> None:
        """Nothing is to be made good."""


@dataclass(frozen=True)
class Stopped:
    """Processes are stopped, and go on after a while in which all others may do what they like."""

    name: str
    who: Who
    stations: Mapping[str, str]

    def strike(self, scene: Scene) -> None:
        victims = list(self.who(scene))
        for victim in victims:
            victim.suspend()
        for victim in victims:
            eventually(lambda v=victim: v.status() == psutil.STATUS_STOPPED, "it is stopped")
        scene.notes[self.name] = victims

    def heal(self, scene: Scene) -> None:
        for victim in scene.notes.pop(self.name):
            assert victim.is_running(), f"{victim} was ended while it was stopped"
            victim.resume()
