"""What a supervisor sets up for itself: its lock, its priority, and that orphans come to it.

Nothing here imports psutil: every runner starts with it.
"""

import contextlib
import fcntl
import os
import sys
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def hold_if_free(path: Path) -> Iterator[bool]:
    """Hold the lock on the file at `path`, or yield False at once when another process has it.

    The file stays. The kernel lets go when we die, and no child of ours keeps it.
    """
    # The filelock package, which waits for locks elsewhere, takes four times as long to import as
    # this: too long for what every supervisor of an agent process does first.
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)


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


_PR_SET_CHILD_SUBREAPER = 36


def become_subreaper() -> None:
    """Make orphaned descendants our children, where the system can (Linux); else do nothing."""
    if sys.platform == "linux":
        import ctypes  # here, because whoever only looks at a job imports this module, too

        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def has_children() -> bool:
    """Return whether we have any child, living or not yet waited for. Exact, and cheap."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def reap_orphans(*, spare: int) -> None:
    """Reap the orphans that came to us and have ended: in a day, daemons would fill the table.

    `spare` is the child that the caller waits for itself. Cheap; does nothing without a subreaper.
    """
    try:
        children = Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii")
    except OSError:  # no Linux, or a kernel that does not tell
        return
    for pid in map(int, children.split()):
        if pid != spare:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
