"""What can go wrong at a station of the work: how it strikes, and how it is made good again.

A fault is anything with a name, a `strike` and a `heal`. `CrashingStage.strike_through` brings it
down at stations of a run: places where the worker, or a command that it has started, stands still
until the fault has struck. Faults lie in modules by their kind (`process_faults`, `git_faults`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import psutil

from abreast import api
from abreast.model.session import Run, Session

if TYPE_CHECKING:
    from tests.support.crashing import CrashingStage


@dataclass(frozen=True)
class Scene:
    """Where a fault strikes: `station` is a name of `stations`, `point` where the worker stands.

    `point` is empty where a command stands still (setup, a tool of the agent, verify, and verify of
    a landing): then the worker waits for it. `notes` has whom a fault has stopped, by its name.
    """

    stage: "CrashingStage"
    run_id: str
    station: str
    point: str = ""
    notes: dict[str, list[psutil.Process]] = field(default_factory=dict)

    @property
    def run(self) -> Run:
        return api.find_run(self.run_id, places=self.stage.places)

    @property
    def session(self) -> Session:
        """The session that is at work, or else the last one that was."""
        begun = [one for one in self.run.sessions if one.started is not None]
        busy = [one for one in begun if not one.state.final]
        return (busy or begun or list(self.run.sessions))[-1]


class Fault(Protocol):
    """One thing that goes wrong. `name` is what `docs/reliability.md` calls it.

    `strike` is called while everything stands still at a station, `heal` once it goes on: it may
    wait there until the fault has been felt, and undoes what would otherwise stay. Afterwards a
    worker is started if there is none, and the run is resumed if it has ended short of its end.
    """

    @property
    def name(self) -> str: ...

    @property
    def stations(self) -> Mapping[str, str]:
        """Where it is tried in `make test`, by name; `make soak` tries it everywhere."""
        ...

    def strike(self, scene: Scene) -> None: ...

    def heal(self, scene: Scene) -> None: ...


@dataclass(frozen=True)
class Together:
    """Several faults in one run, each at its own stations; at one station, one after another."""

    name: str
    faults: tuple[Fault, ...]

    @property
    def stations(self) -> Mapping[str, str]:
        return {name: at for fault in self.faults for name, at in fault.stations.items()}

    def strike(self, scene: Scene) -> None:
        for fault in self._here(scene):
            fault.strike(scene)

    def heal(self, scene: Scene) -> None:
        for fault in self._here(scene):
            fault.heal(scene)

    def _here(self, scene: Scene) -> list[Fault]:
        return [fault for fault in self.faults if scene.station in fault.stations]


@dataclass(frozen=True)
class At:
    """A fault at other stations than its own."""

    fault: Fault
    stations: Mapping[str, str]

    @property
    def name(self) -> str:
        return self.fault.name

    def strike(self, scene: Scene) -> None:
        self.fault.strike(scene)

    def heal(self, scene: Scene) -> None:
        self.fault.heal(scene)
