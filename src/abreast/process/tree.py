"""Stop a process and everything it has started, also what has left its group or its parent.

Agent CLIs run each shell command in a session of its own, and those shells outlive the CLI
(Claude Code, Codex and Gemini all do this). Three nets catch them: the children as psutil sees
them, the orphans that came to us because we are their subreaper, and every process whose
environment carries the marker that we gave the first one.
"""

import contextlib
import signal
from collections.abc import Iterable

import psutil

from abreast.process.marker import MARKER, marked_pids

__all__ = ["MARKER", "descendants", "marked", "send", "sweep"]


def marked(marker: str) -> list[psutil.Process]:
    """Return the living processes whose environment holds `ABREAST_MARKER=<marker>`."""
    found = []
    for pid in marked_pids(marker):
        with contextlib.suppress(psutil.Error):
            found.append(psutil.Process(pid))
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
