"""Give way to the person at the machine: agents and their test suites can take every core."""

import contextlib
import os
from pathlib import Path

# Niceness: the person's own programs first, then ours and whatever somebody waits for, then agents.
WORKER, AWAITED, AGENT = 5, 5, 10


def lower(niceness: int) -> None:
    """Lower the priority of this process, which leads its session, and of all that it starts."""
    os.nice(max(0, niceness - os.nice(0)))
    lower_group(os.getpid(), niceness)


def lower_group(pid: int, niceness: int) -> None:
    """Do the same for the whole session that `pid` leads.

    Linux shares the cores out between terminal sessions first, each agent in one of its own, and
    niceness counts only within them (sched(7), "The autogroup feature").
    """
    with contextlib.suppress(OSError):  # no such feature, or it has ended
        Path(f"/proc/{pid}/autogroup").write_text(str(niceness), encoding="ascii")
