"""Stops all that a job has running for a while: the machine is short of memory.

A worker asks for it by a file beside the stop file, which holds the most seconds that it may last.
Who works for others too (see `identity.is_shared`) goes on, and so does a worker that the job's
agent has started.
"""

import contextlib
import os
import signal
import sys
from pathlib import Path

from abreast.process import clock
from abreast.process.identity import Stat, is_shared, stat_of
from abreast.process.supervisor import below
from abreast.runner.job import SHORT

_ROUNDS = 5  # one that was not stopped yet may have started another meanwhile


class Pausing:
    """Holds the processes below this one while the file is there. Call `look()` again and again."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._stopped: dict[int, Stat] = {}  # parents first
        self._since: float | None = None
        self._most = 0.0

    @property
    def paused(self) -> bool:
        return self._since is not None

    def look(self) -> str:
        """Stop or continue, as the file says; return why the job is to end, or ""."""
        most = _seconds(self._file)
        if most is None:
            self.go_on()
            return ""
        if self._since is None:
            self._since = clock.awake()
            self._stop()
        return SHORT if clock.awake() - self._since > most else ""

    def go_on(self) -> None:
        """Continue what was stopped, children before their parents; nothing when nothing was."""
        for stat in reversed(self._stopped.values()):
            now = stat_of(stat.pid)
            if now is not None and stat.identity.is_that_of(now):
                _send(stat.pid, signal.SIGCONT)
        self._stopped, self._since = {}, None

    def _stop(self) -> None:
        for _ in range(_ROUNDS):
            # Those that a person has stopped are left as they are, also afterwards.
            new = [s for s in _tree() if s.pid not in self._stopped and s.state != "T"]
            if not new:
                return
            for stat in new:
                _send(stat.pid, signal.SIGSTOP)
                self._stopped[stat.pid] = stat


def _seconds(file: Path) -> float | None:
    try:
        return float(file.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def _tree() -> list[Stat]:
    """Return the living processes below this one that are the job's alone, parents first."""
    if sys.platform == "linux":
        found = below(os.getpid())
    else:
        from abreast.process.tree import descendants

        stats = (stat_of(process.pid) for process in descendants(os.getpid()))
        found = [stat for stat in stats if stat is not None and stat.lives]
    others: set[int] = set()
    for stat in found:
        if stat.parent in others or is_shared(stat, marked=False):
            others.add(stat.pid)
    return [stat for stat in found if stat.pid not in others]


def _send(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(OSError):  # it has ended, or has become another user's
        os.kill(pid, number)
