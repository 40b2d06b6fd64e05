"""Processes named so that a reused pid is never mistaken for the one we started."""

import contextlib
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from abreast.process import clock

if TYPE_CHECKING:
    import psutil


@dataclass(frozen=True)
class Identity:
    """A process: its pid together with its start time, in seconds since whenever (see `stat_of`).

    `boot` names the start of the machine in which that holds: pids and start times come round
    again. "" where it is not known.
    """

    pid: int
    started: float
    boot: str = ""

    def find(self) -> "psutil.Process | None":
        """Return the process while it lives (a zombie does not), else None."""
        import psutil  # here, because most who ask want to know `alive` alone

        try:
            return psutil.Process(self.pid) if self.alive else None
        except psutil.Error:
            return None

    @property
    def alive(self) -> bool:
        """Whether the process lives (a zombie does not). Cheap."""
        if self.boot and self.boot != clock.boot_id():
            return False
        found = stat_of(self.pid)
        return found is not None and found.lives and self.is_that_of(found)

    def is_that_of(self, found: "Stat") -> bool:
        """Return whether what has this pid now is the process meant, and not a later one."""
        return abs(found.started - self.started) < _SAME_START


@dataclass(frozen=True)
class Stat:
    """What the system tells of a process now. `started` is as in `Identity`."""

    pid: int
    name: str
    state: str
    parent: int
    session: int
    started: float

    @property
    def lives(self) -> bool:
        return self.state not in {"Z", "X"}

    @property
    def identity(self) -> Identity:
        return Identity(self.pid, self.started, clock.boot_id())


_SAME_START = 0.005  # Linux counts in hundredths
_TICK = os.sysconf("SC_CLK_TCK")
# Where they stand in /proc/PID/stat, behind the name in parentheses.
_STATE, _PARENT, _SESSION, _STARTED = 1, 2, 4, 20


def identify(pid: int | None = None) -> Identity:
    """Return the identity of a living process, by default our own.

    Raises psutil.NoSuchProcess when there is none.
    """
    number = os.getpid() if pid is None else pid
    found = stat_of(number)
    if found is None:
        import psutil

        raise psutil.NoSuchProcess(number)
    return found.identity


def stat_of(pid: int) -> Stat | None:
    """Return what the system tells of a process, or None when there is none.

    On Linux psutil adds the boot time to the start time that the kernel tells, and that moves when
    the clock is set: every session on the machine would look dead. So we read what the kernel
    tells, which takes a tenth of the time, too.
    """
    if sys.platform != "linux":
        return _by_psutil(pid)
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123 - fast
            line = file.read()
    except OSError:
        return None
    end = line.rindex(b")")
    told = line[end:].split()
    return Stat(
        pid,
        os.fsdecode(line[line.index(b"(") + 1 : end]),
        told[_STATE].decode(),
        int(told[_PARENT]),
        int(told[_SESSION]),
        int(told[_STARTED]) / _TICK,
    )


def _by_psutil(pid: int) -> Stat | None:
    import psutil

    try:
        process = psutil.Process(pid)
        with process.oneshot():
            state = "Z" if process.status() == psutil.STATUS_ZOMBIE else "S"
            parent, started = process.ppid(), process.create_time()
            return Stat(pid, process.name(), state, parent, os.getsid(pid), started)
    except (psutil.Error, OSError):
        return None


MARKER = "ABREAST_MARKER"


def marked_pids(marker: str) -> list[int]:
    """Return the living processes whose environment holds `ABREAST_MARKER=<marker>`.

    Those of other users are not seen.
    """
    if sys.platform != "linux":
        return _marked_by_psutil(marker)
    # Every session looks at every process when it ends, and psutil takes ten times as long.
    wanted = os.fsencode(f"{MARKER}={marker}")
    with os.scandir("/proc") as entries:
        processes = [entry for entry in entries if entry.name.isdigit()]
    return [int(entry.name) for entry in processes if wanted in _environment(entry.path)]


def _environment(folder: str) -> list[bytes]:
    with contextlib.suppress(OSError), open(f"{folder}/environ", "rb") as file:  # noqa: PTH123 - fast
        return file.read().split(b"\0")
    return []


def _marked_by_psutil(marker: str) -> list[int]:
    import psutil

    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(MARKER) == marker:
                found.append(process.pid)
    return found


# Recognises processes that serve others too, and so outlive the job that started them.
#
# The first program that needs one starts it, and every later one of the same user finds it there:
# an agent's `tmux` starts the server in which the user opens a window afterwards. Ending it would
# take the user's own work along. What can be had again at any time (a compiler's or a build's
# daemon, a language server, a watcher of files) is not among them.

# As /proc/PID/stat gives them: 15 characters at most.
_NAMES = frozenset(
    {
        "tmux: server",
        "screen",
        "zellij",
        "mosh-server",
        "ssh-agent",
        "gpg-agent",
        "keyboxd",
        "scdaemon",
        "dirmngr",
        "gnome-keyring-d",
        "dbus-daemon",
        "dbus-broker",
        "dockerd",
        "containerd",
        "containerd-shim",
        "conmon",
        "buildkitd",
    }
)
# Of a command line, its arguments parted by spaces.
_CREDENTIALS = "credential-cache--daemon"
_ABREAST = (
    "-m abreast.engine.working.worker ",
    "-m abreast.engine.worker ",  # of an earlier abreast, which may be at work still
    "-m abreast.runner ",
)


def is_shared(stat: Stat, *, marked: bool) -> bool:
    """Return whether a process serves others too: a terminal, keys, containers, abreast itself.

    Judged by its name or command line, which a process can choose. A worker or runner that is
    `marked` as the job's is that job's own.
    """
    if stat.name in _NAMES:
        return True
    line = command_line(stat.pid)
    if not marked and any(part in line for part in _ABREAST):
        return True
    connection = line.startswith("ssh: ") and line.rstrip().endswith("[mux]")
    return connection or _CREDENTIALS in line


def command_line(pid: int) -> str:
    """Return a process's command line, its arguments parted by spaces; "" when it has gone."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:  # noqa: PTH123 - fast
            return os.fsdecode(file.read().replace(b"\0", b" "))
    except OSError:
        return ""
