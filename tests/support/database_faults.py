"""Faults of the database and of disks: locked by somebody else, damaged, full."""

import contextlib
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from abreast import api
from abreast.api.recovering import recover
from abreast.errors import DamagedError
from abreast.store.reader import Reader
from tests.support import process_faults
from tests.support.deadlines import SECONDS, eventually
from tests.support.disks import Disk
from tests.support.faults import Scene
from tests.support.process_faults import Killed

_HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=float(sys.argv[2]))
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()
"""
_WAITS = "waiting for the database"


def hold(file: Path) -> subprocess.Popen[str]:
    """Start a process that takes the write lock of a database; see `is_held` and `release`."""
    argv = [sys.executable, "-I", "-c", _HOLD, str(file), str(SECONDS)]
    pipe = subprocess.PIPE
    return subprocess.Popen(argv, stdin=pipe, stdout=pipe, text=True)


def is_held(holder: subprocess.Popen[str]) -> None:
    """Wait until it has the lock."""
    assert holder.stdout is not None
    assert holder.stdout.readline() == "locked\n"


def release(holder: subprocess.Popen[str]) -> None:
    holder.communicate(timeout=SECONDS)


@contextlib.contextmanager
def locked(file: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process holds the write lock until its standard input is closed."""
    with hold(file) as holder:
        is_held(holder)
        yield holder


def spoil(file: Path) -> None:
    """Break the page of a table's root: what reads that table is told so."""
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
        [size] = connection.execute("PRAGMA page_size").fetchone()
        query = "SELECT rootpage FROM sqlite_master WHERE name = 'abreast_runs'"
        [page] = connection.execute(query).fetchone()
    with file.open("r+b") as opened:
        opened.seek((page - 1) * size)
        opened.write(b"\xff" * size)


def _file_of(scene: Scene) -> Path:
    return scene.stage.places.state / "abreast.db"


@dataclass(frozen=True)
class LockedDatabase:
    """Another process has the database locked until the worker has said that it waits."""

    name: str
    stations: Mapping[str, str]
    holders: dict[str, subprocess.Popen[str]] = field(default_factory=dict)
    said: dict[str, int] = field(default_factory=dict)

    def strike(self, scene: Scene) -> None:
        self.said[scene.station] = self._waits(scene)
        self.holders[scene.station] = holder = hold(_file_of(scene))
        if not scene.point.startswith("commit"):  # the worker has the lock itself there
            is_held(holder)

    def heal(self, scene: Scene) -> None:
        holder = self.holders.pop(scene.station)
        try:
            if scene.point.startswith("commit"):
                is_held(holder)

            def felt() -> bool:
                return self._waits(scene) > self.said[scene.station] or scene.run.state.final

            eventually(felt, f"it waits for the database at {scene.station}")
        finally:
            release(holder)

    def _waits(self, scene: Scene) -> int:
        log = scene.stage.places.logs / "worker.log"
        return log.read_text().count(_WAITS) if log.exists() else 0


@dataclass(frozen=True)
class DamagedDatabase:
    """The worker dies, and the database is damaged: told, and rebuilt by `abreast recover`."""

    name: str
    stations: Mapping[str, str]

    def strike(self, scene: Scene) -> None:
        Killed(self.name, process_faults.worker, self.stations).strike(scene)
        spoil(_file_of(scene))
        with pytest.raises(DamagedError, match="damaged"):
            api.runs(places=scene.stage.places)
        found = recover(repo=scene.stage.repo.path, places=scene.stage.places)
        assert scene.run_id in {one.run.id for one in found.runs}, found

    def heal(self, scene: Scene) -> None:
        """It was recovered at once: all that looks at it needs it."""


@dataclass(frozen=True)
class FullDisk:
    """The disk of the repository is full until a session, or its landing, says so.

    Once at each station: a step says once that it waits.
    """

    name: str
    disk: Disk
    stations: Mapping[str, str]
    said: dict[str, int] = field(default_factory=dict)
    points: dict[str, str] = field(default_factory=dict)

    def strike(self, scene: Scene) -> None:
        if scene.station not in self.points:
            self.points[scene.station] = scene.point
            self.said[scene.station] = self._told(scene)
            self.disk.fill()

    def heal(self, scene: Scene) -> None:
        if self.points[scene.station] != scene.point:
            return
        try:
            eventually(
                lambda: self._told(scene) > self.said[scene.station],
                f"it says at {scene.station} that the disk is full",
            )
        finally:
            self.disk.free()

    def _told(self, scene: Scene) -> int:
        events = Reader(scene.stage.places.database).events(scene.run_id)
        return sum("full" in event.text for _, event in events)
