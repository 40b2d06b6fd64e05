"""What a test has left running."""

import contextlib
import time

import psutil

from tests.support.deadlines import PATIENCE

_QUIET = 5.0  # seconds in which whatever is on its way out is gone, on a quiet machine


def processes_of(*folders: str) -> list[str]:
    """Those that `processes_now` finds, once there is none or what was on its way out is gone."""
    late = time.monotonic() + _QUIET * PATIENCE
    while (found := processes_now(*folders)) and time.monotonic() < late:
        time.sleep(0.05)
    return found


def processes_now(*folders: str) -> list[str]:
    """The processes, but for us and those above us, whose command line or environment names
    one of `folders`."""
    me = psutil.Process()
    spared = {me.pid, *(parent.pid for parent in me.parents())}
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.pid in spared or process.status() == psutil.STATUS_ZOMBIE:
                continue
            line = " ".join(process.cmdline())
            told = "\0".join((line, *process.environ().values()))
            if any(folder in told for folder in folders):
                found.append(f"{process.pid} {process.username()}: {line}")
    return found
