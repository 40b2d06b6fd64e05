"""What a supervisor sets up for itself, and the record of the processes below it.

Nothing here imports psutil: every runner starts with it.
"""

import contextlib
import fcntl
import os
import sys
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from abreast.process import clock
from abreast.process.files import load_json, write_json
from abreast.process.identity import Identity, Stat, stat_of


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


FIRST = 500
"""How much of the machine's memory, in thousandths, an agent's processes seem to use in addition.

The kernel kills whoever seems to use most once there is none left (proc_pid_oom_score_adj(5)): it
is to be a session, whose work is kept, and not the person's editor.
"""


def kill_first(pid: int) -> None:
    """Have the kernel choose a process, and all that it starts from now on, when memory runs out.

    Linux alone has this; one that is chosen before others already stays that.
    """
    file = Path(f"/proc/{pid}/oom_score_adj")
    with contextlib.suppress(OSError, ValueError):  # no such feature, or it has ended
        if int(file.read_text(encoding="ascii")) < FIRST:
            file.write_text(str(FIRST), encoding="ascii")


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


def reap_orphans(*, spare: Collection[int]) -> None:
    """Reap the orphans that came to us and have ended: in a day, daemons would fill the table.

    `spare` are children that the caller waits for itself. Cheap; does nothing without a subreaper.
    """
    try:
        children = Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii")
    except OSError:  # no Linux, or a kernel that does not tell
        return
    for pid in map(int, children.split()):
        if pid not in spare:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)


# The processes below a runner, written down while it runs, so that they can be ended later.
#
# While a runner lives, every descendant stays below it: it is their subreaper. Once it has been
# killed they are init's children, and a daemon may have left its session and cleared its
# environment. What is left then is what was written down: pids with their start times, and
# sessions.
#
# Whoever a process was started by, its session is that of its parent until it makes one of its
# own, and the kernel gives a session's number to nobody else while anyone is in it. So all who
# are in a recorded session are ours, if someone in it was there already when we last looked.

FAMILY = "family.json"


class Family:
    """Keeps the record of all that lives below this process in the file FAMILY of a folder.

    Linux only; elsewhere it writes nothing. A process that comes and goes between two looks is not
    noticed, nor is one that starts between the last look and our death.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / FAMILY
        self._known: set[tuple[int, float, int]] = set()
        self.stopped: frozenset[int] = frozenset()  # who was stopped at the last look, by whomever

    def look(self) -> None:
        """Note who is there now. Costs some 30 microseconds of CPU for each process."""
        at, outside = clock.boot(), os.getsid(0)
        found = below(os.getpid())
        self.stopped = frozenset(one.pid for one in found if one.state == "T")
        now = {
            (one.pid, one.started, 0 if one.session == outside else one.session) for one in found
        }
        if now != self._known:
            self._known = now
            # Not flushed to the disk: nothing of it is true after the machine's next start.
            told = {"boot": clock.boot_id(), "at": at, "members": sorted(now)}
            with contextlib.suppress(OSError):  # the disk is full, and the job may not mind
                write_json(self._file, told, flush=False)


def below(pid: int) -> list[Stat]:
    """Return the living descendants of a process; none where the kernel does not tell (Linux)."""
    found, todo = [], [pid]
    while todo:
        for child in _children(todo.pop()):
            todo.append(child)
            if (stat := stat_of(child)) is not None and stat.lives:
                found.append(stat)
    return found


def _children(pid: int) -> list[int]:
    """Return the children of a process: each of its threads has its own."""
    children: list[int] = []
    with contextlib.suppress(OSError):  # it has ended meanwhile, or nobody tells
        for thread in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208 - fast
            children += _children_of_thread(f"/proc/{pid}/task/{thread}/children")
    return children


def _children_of_thread(file: str) -> list[int]:
    with contextlib.suppress(OSError), open(file, "rb") as told:  # noqa: PTH123 - fast
        return [int(pid) for pid in told.read().split()]
    return []


@dataclass(frozen=True)
class FamilyRecord:
    """What was last written down: when, in seconds since the boot, and who was there."""

    at: float
    members: tuple[Identity, ...]
    sessions: frozenset[int]


def load_family(folder: Path) -> FamilyRecord | None:
    """Return the record that a runner has left in a folder; None: none, or of an earlier boot."""
    raw = load_json(folder / FAMILY)
    if raw is None or raw["boot"] != clock.boot_id():
        return None
    members = tuple(Identity(pid, started, raw["boot"]) for pid, started, _ in raw["members"])
    return FamilyRecord(raw["at"], members, frozenset(one for *_, one in raw["members"] if one))


def survivors(record: FamilyRecord) -> list[Stat]:
    """Return those of a family who live: the recorded, their sessions, and all below them."""
    everyone = everybody()
    known = {one.pid: one for one in record.members}
    ours = {s.pid: s for s in everyone if s.pid in known and known[s.pid].is_that_of(s)}
    older = (s for s in everyone if s.session in record.sessions and s.started < record.at)
    sessions = {s.session for s in (*ours.values(), *older)} - {os.getsid(0)}
    ours |= {s.pid: s for s in everyone if s.session in sessions}
    ours |= _with_descendants(ours, everyone)
    ours.pop(os.getpid(), None)
    return [stat for stat in ours.values() if stat.lives]


def everybody() -> list[Stat]:
    """Return all processes (Linux)."""
    with os.scandir("/proc") as entries:
        pids = [int(entry.name) for entry in entries if entry.name.isdigit()]
    return [stat for stat in map(stat_of, pids) if stat is not None]


def _with_descendants(ours: dict[int, Stat], everyone: Iterable[Stat]) -> dict[int, Stat]:
    children: dict[int, list[Stat]] = {}
    for stat in everyone:
        children.setdefault(stat.parent, []).append(stat)
    found, todo = dict(ours), list(ours)
    while todo:
        for child in children.get(todo.pop(), ()):
            if child.pid not in found:
                found[child.pid] = child
                todo.append(child.pid)
    return found
