"""Processes named so that a reused pid is never mistaken for the one we started."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psutil


@dataclass(frozen=True)
class Identity:
    """A process: its pid together with its start time, in seconds since whenever (see `_started`).

    It is good for as long as the machine runs.
    """

    pid: int
    started: float

    def find(self) -> "psutil.Process | None":
        """Return the process while it lives (a zombie does not), else None."""
        import psutil  # here, because a runner that only says who it is starts faster without

        try:
            process = psutil.Process(self.pid)
            same = abs(_started(self.pid) - self.started) < _SAME_START
            alive = same and process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            return None
        return process if alive else None

    @property
    def alive(self) -> bool:
        return self.find() is not None


_SAME_START = 0.005  # Linux counts in hundredths
_AFTER_NAME = 20  # where the start time stands in /proc/PID/stat, behind the name in parentheses


def identify(pid: int | None = None) -> Identity:
    """Return the identity of a living process, by default our own.

    Raises psutil.NoSuchProcess when there is none.
    """
    number = os.getpid() if pid is None else pid
    return Identity(number, _started(number))


def _started(pid: int) -> float:
    """Return when a process started, by a clock that nobody sets.

    On Linux psutil adds the boot time to what the kernel tells, and that moves when the clock is
    set: every session on the machine would look dead. So we read what the kernel tells.
    """
    if sys.platform != "linux":
        import psutil

        return psutil.Process(pid).create_time()
    try:
        line = Path(f"/proc/{pid}/stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError) as gone:
        import psutil

        raise psutil.NoSuchProcess(pid) from gone
    return int(line[line.rindex(b")") :].split()[_AFTER_NAME]) / os.sysconf("SC_CLK_TCK")
