"""Stop a process and everything that it started, even what left its group or its parent.

Agent CLIs run each shell command in a session of its own, and those shells outlive the CLI
(Claude Code, Codex and Gemini all do this). Four nets catch them: the children as the system tells
them, the orphans that came to us because we are their subreaper, every process whose environment
carries the marker that we gave the first one, and what a runner has written down of them.
"""

import contextlib
import signal
import time
from collections.abc import Iterable
from dataclasses import dataclass

import psutil

from abreast.process import clock
from abreast.process.identity import MARKER, is_shared, marked_pids, stat_of
from abreast.process.patience import pause
from abreast.process.supervisor import FamilyRecord, survivors

__all__ = ["MARKER", "Swept", "descendants", "end_marked", "marked", "send", "sweep"]


@dataclass(frozen=True)
class Swept:
    """How many processes were ended; which are left because they serve others: `name (pid)`."""

    ended: int = 0
    left: tuple[str, ...] = ()


def marked(marker: str) -> list[psutil.Process]:
    """Return the living processes whose environment holds `ABREAST_MARKER=<marker>`."""
    return _processes(marked_pids(marker))


def descendants(pid: int) -> list[psutil.Process]:
    """Return the living processes below `pid`; none when it is gone."""
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return []


def send(processes: Iterable[psutil.Process], number: signal.Signals) -> list[psutil.Process]:
    """Signal each process that still lives; return those that are not ours to signal.

    psutil guards against reused pids.
    """
    refused = []
    for process in processes:
        try:
            process.send_signal(number)
        except psutil.AccessDenied:
            refused.append(process)
        except psutil.Error:
            continue
    return refused


def end_marked(marker: str, patience: float) -> None:
    """End every process that carries `marker`: by SIGTERM, and after `patience` seconds by force.

    On SIGTERM git removes its locks; one that is killed leaves them.
    """
    send(marked(marker), signal.SIGTERM)
    late = clock.awake() + patience
    while marked(marker) and clock.awake() < late:
        time.sleep(pause(0.0, patience))
    sweep(marker)


def sweep(
    marker: str,
    *,
    spare: Iterable[int] = (),
    below: int | None = None,
    record: FamilyRecord | None = None,
) -> Swept:
    """Kill every process that carries `marker` except the pids in `spare`.

    With `below`, also every descendant of that pid: a tool may clear the environment of what it
    starts. With `record`, also who is left of those that a runner has written down. Repeats until
    none is left, because a shell may start another child while we look. Those that serve others,
    and what runs in them, are left.
    """
    kept, count = set(spare), 0
    left: dict[int, str] = {}
    for _ in range(20):
        own = marked(marker)
        found = {*own, *(descendants(below) if below is not None else ())}
        if record is not None:
            found |= set(_processes(one.pid for one in survivors(record)))
        left |= _shared(found, {process.pid for process in own})
        inside = _inside(left)
        victims = [p for p in found if p.pid not in kept | inside and not _is_dead(p)]
        if not victims:
            break
        kept |= {process.pid for process in send(victims, signal.SIGKILL)}
        psutil.wait_procs([p for p in victims if p.pid not in kept], timeout=2)
        count += sum(process.pid not in kept for process in victims)
    return Swept(count, tuple(left.values()))


def _shared(found: Iterable[psutil.Process], own: set[int]) -> dict[int, str]:
    """Return those that serve others, with their names; `own` are the pids that are marked."""
    stats = [stat for process in found if (stat := stat_of(process.pid)) is not None]
    return {
        stat.pid: f"{stat.name} ({stat.pid})"
        for stat in stats
        if stat.lives and is_shared(stat, marked=stat.pid in own)
    }


def _inside(left: Iterable[int]) -> set[int]:
    """Return the pids of `left` and of all that is below one of them."""
    inside = set(left)
    for pid in tuple(inside):
        inside |= {process.pid for process in descendants(pid)}
    return inside


def _processes(pids: Iterable[int]) -> list[psutil.Process]:
    found = []
    for pid in pids:
        with contextlib.suppress(psutil.Error):
            found.append(psutil.Process(pid))
    return found


def _is_dead(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.Error:
        return True
