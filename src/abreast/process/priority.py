"""Give way to the person at the machine: agents and their test suites can take every core."""

import contextlib
import os
from pathlib import Path

NICENESS = 10


def lower() -> None:
    """Let this process, and all that it will start, take second place."""
    os.nice(NICENESS)


def lower_group(pid: int) -> None:
    """Do the same for the session that `pid` leads.

    Linux shares the cores out between terminal sessions first, each agent in one of its own, and
    niceness counts only within them (sched(7), "The autogroup feature").
    """
    with contextlib.suppress(OSError):  # no such feature, or it has ended
        Path(f"/proc/{pid}/autogroup").write_text(str(NICENESS), encoding="ascii")
