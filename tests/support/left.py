"""What a test has left running."""

import contextlib
import time

import psutil

_PATIENCE = 5.0  # seconds for what is on its way out


def processes_of(folder: str) -> list[str]:
    """The processes, but for us and those above us, whose command line or environment names
    `folder`: looked for until there is none, or for five seconds."""
    late = time.monotonic() + _PATIENCE
    while (found := _look(folder)) and time.monotonic() < late:
        time.sleep(0.05)
    return found


def _look(folder: str) -> list[str]:
    me = psutil.Process()
    spared = {me.pid, *(parent.pid for parent in me.parents())}
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.pid in spared or process.status() == psutil.STATUS_ZOMBIE:
                continue
            line = " ".join(process.cmdline())
            if folder in line or any(folder in value for value in process.environ().values()):
                found.append(f"{process.pid} {process.username()}: {line}")
    return found
