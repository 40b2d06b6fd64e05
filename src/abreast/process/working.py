"""In which folders processes are at work."""

import contextlib
from pathlib import Path


def working_folders(*names: str) -> dict[Path, int]:
    """Return the current folder of every living process that we may look at, with its pid.

    With `names`, only of the programs of these names.
    """
    import psutil  # here, because it is asked for seldom

    found = {}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if not names or process.name() in names:
                found[Path(process.cwd())] = process.pid
    return found
