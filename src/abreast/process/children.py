"""Our own children: orphans taken in, counted and collected. Without psutil: runners start here."""

import contextlib
import ctypes
import os
import sys
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36


def become_subreaper() -> None:
    """Make orphaned descendants our children, where the system can (Linux); else do nothing."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def has_children() -> bool:
    """Return whether we have any child, living or not yet waited for. Exact, and cheap."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def reap_orphans(*, spare: int) -> None:
    """Collect the orphans that came to us and have ended: a day of daemons would fill the table.

    `spare` is the child whose end somebody waits for. Cheap; does nothing where nobody comes to us.
    """
    try:
        children = Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii")
    except OSError:  # no Linux, or a kernel that does not tell
        return
    for pid in map(int, children.split()):
        if pid != spare:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
