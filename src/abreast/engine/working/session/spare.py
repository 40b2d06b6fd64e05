"""Runners that are started ahead: a landing knows that it will need one, while git still merges."""

import sys
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from abreast.process.command import Detached, spawn_waiting
from abreast.process.environment import allow
from abreast.process.tree import MARKER
from abreast.runner.spare import SPARE, SpareOrder


@dataclass(frozen=True)
class SpareRunner:
    """A runner that waits for its job, which is to have this marker."""

    process: Detached
    marker: str

    def begin(self, directory: Path, env: Mapping[str, str], log: Path, given: bytes) -> bool:
        """Give it the job in `directory`; False: it has ended instead."""
        order = SpareOrder(str(directory), env, str(log), given.decode())
        try:
            self.process.communicate_order(order.to_bytes())
        except OSError:
            return False
        return True


class SpareRunners:
    """At most one runner that waits. Safe to use from threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: SpareRunner | None = None
        self._more = False

    def prepare(self, environ: Mapping[str, str], *, more: bool) -> None:
        """See that one waits; with `more`, that another one does once it has been taken."""
        with self._lock:
            self._more = more
            self._start(environ)

    def take(self, environ: Mapping[str, str]) -> SpareRunner | None:
        """Return the one that waits, if there is one, for the caller alone."""
        with self._lock:
            taken, self._waiting = self._waiting, None
            if taken is not None and self._more:
                self._start(environ)
        return taken if taken is not None and taken.process.poll() is None else None

    def discard(self) -> None:
        """End the one that waits: nobody will need it."""
        with self._lock:
            taken, self._waiting = self._waiting, None
        if taken is not None:
            taken.process.kill()  # it holds nothing, and may still be starting
            taken.process.communicate()

    def _start(self, environ: Mapping[str, str]) -> None:
        if self._waiting is not None:
            return
        marker = uuid.uuid4().hex
        argv = [sys.executable, "-I", "-m", "abreast.runner", SPARE]
        self._waiting = SpareRunner(spawn_waiting(argv, {**allow(environ), MARKER: marker}), marker)


spare_runners = SpareRunners()
"""Those of this process."""
