"""Stop a process and everything it has started, also what has left its group or its parent.

Agent CLIs run each shell command in a session of its own, and those shells outlive the CLI
(Claude Code, Codex and Gemini all do this). Three nets catch them: the children as psutil sees
them, the orphans that came to us because we are their subreaper, and every process whose
environment carries the marker that we gave the first one.
"""

import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Iterable
from pathlib import Path

import psutil

MARKER = "ABREAST_MARKER"
_PR_SET_CHILD_SUBREAPER = 36


def become_subreaper() -> None:
    """Make orphaned descendants our children, where the system can (Linux); else do nothing."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


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


def marked(marker: str) -> list[psutil.Process]:
    """Return the living processes whose environment holds `ABREAST_MARKER=<marker>`."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(MARKER) == marker:
                found.append(process)
    return found


def descendants(pid: int) -> list[psutil.Process]:
    """Return the living processes below `pid`; none when it is gone."""
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return []


def send(processes: Iterable[psutil.Process], number: signal.Signals) -> None:
    """Signal each process that still lives; psutil guards against reused pids."""
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.send_signal(number)


def sweep(marker: str, *, spare: Iterable[int] = (), below: int | None = None) -> int:
    """Kill every process that carries `marker` except the pids in `spare`; return how many.

    With `below`, also every descendant of that pid: a tool may clear the environment of what it
    starts. Repeats until none is left, because a shell may start another child while we look.
    """
    kept = frozenset(spare)
    count = 0
    for _ in range(20):
        found = {*marked(marker), *(descendants(below) if below is not None else ())}
        victims = [p for p in found if p.pid not in kept and not _is_dead(p)]
        if not victims:
            break
        send(victims, signal.SIGKILL)
        psutil.wait_procs(victims, timeout=2)
        count += len(victims)
    return count


def _is_dead(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.Error:
        return True
