"""Processes named so that a reused pid is never mistaken for the one we started."""

import os
from dataclasses import dataclass

import psutil


@dataclass(frozen=True)
class Identity:
    """A process: its pid together with its start time (Unix seconds, as psutil gives it)."""

    pid: int
    started: float

    def find(self) -> psutil.Process | None:
        """Return the process while it lives (a zombie does not), else None."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) < _SAME_START
            alive = same and process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            return None
        return process if alive else None

    @property
    def alive(self) -> bool:
        return self.find() is not None


# create_time() is derived from the boot time, which steps with the system clock; two processes
# that share a pid within one second do not happen.
_SAME_START = 1.0


def identify(pid: int | None = None) -> Identity:
    """Return the identity of a living process, by default our own.

    Raises psutil.NoSuchProcess when there is none.
    """
    process = psutil.Process(os.getpid() if pid is None else pid)
    return Identity(process.pid, process.create_time())
