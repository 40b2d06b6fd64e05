"""Starts a process within a `Confinement`, by bubblewrap, and finds it again to signal it.

bubblewrap makes mount, pid and ipc namespaces. The process we start is bubblewrap itself; below it
is another one, which is pid 1 inside, and below that the command, pid 2. When one of the first two
ends, the kernel ends all that is inside, also daemons that have cleared their environment.
"""

import os
import sys
from collections.abc import Iterator, Sequence

from abreast.model.confinement import Confinement
from abreast.process.supervisor import below

_PRIVATE = ("--unshare-pid", "--unshare-ipc", "--die-with-parent", "--proc", "/proc")
# Root would keep what it takes to mount all of it anew. It needs this one for a sandbox within ours
# (user_namespaces(7): who maps user 0). The kernel's settings are of no namespace, some name
# programs that it runs outside, and root writes them without any capability: bubblewrap overlooks
# that.
_POWERLESS = ("--cap-drop", "ALL")
_OF_ROOT = ("--cap-add", "CAP_SETFCAP", "--ro-bind", "/proc/sys", "/proc/sys")
_INSIDE = b"NSpid:"
_FORWARDER = os.path.join(os.path.dirname(__file__), "forwarder.py")  # noqa: PTH118, PTH120
_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "[::1]"})


def confined(bounds: Confinement, argv: Sequence[str], cwd: str) -> tuple[str, ...]:
    """Return what to start so that `argv` runs in `cwd` within `bounds`.

    That is `argv` itself where nothing confines it. What is not there is left out.
    """
    if not bounds.program:
        return tuple(argv)
    return (bounds.program, *_options(bounds), "--chdir", cwd, "--", *_relayed(bounds), *argv)


def _relayed(bounds: Confinement) -> tuple[str, ...]:
    """Return what brings a command without a network to the hosts that it may reach."""
    if bounds.network or not bounds.hosts or not bounds.socket:
        return ()
    here = [one for one in bounds.hosts if one.rpartition(":")[0] in _THIS_MACHINE]
    return (sys.executable, "-I", "-S", _FORWARDER, bounds.socket, *here, "--")


def _options(bounds: Confinement) -> Iterator[str]:
    yield from ("--ro-bind", "/", "/")
    mounts: list[tuple[str, tuple[str, ...]]] = [("/dev", ("--dev", "/dev"))]
    hidden: list[str] = []
    for path in bounds.absent:
        if os.path.isdir(path):  # noqa: PTH112 - the runner has texts
            mounts.append((path, ("--tmpfs", path)))
            hidden.append(path)
        elif os.path.lexists(path):
            mounts.append((path, ("--ro-bind", os.devnull, path)))
    mounts += [(path, ("--ro-bind-try", path, path)) for path in (*bounds.readable, *bounds.sealed)]
    written = (*bounds.writable, *((bounds.socket,) if bounds.socket else ()))
    mounts += [(path, ("--bind-try", path, path)) for path in written]
    mounts += [(path, ("--bind", source, path)) for path, source in bounds.mounted.items()]
    mounts += [(path, ("--ro-bind", source, path)) for path, source in bounds.shown.items()]
    # What lies within another is mounted after it. Of the same path, the later one counts.
    for _, options in sorted(mounts, key=lambda one: one[0].count("/")):
        yield from options
    for path in hidden:
        yield from ("--remount-ro", path)
    yield from (*_PRIVATE, *_POWERLESS, *(_OF_ROOT if os.geteuid() == 0 else ()))
    if not bounds.network:
        yield "--unshare-net"
    for name in bounds.unset:
        yield from ("--unsetenv", name)
    for name, value in bounds.environment.items():
        yield from ("--setenv", name, value)


def inner_pid(pid: int) -> int:
    """Return the pid of the command that the bubblewrap `pid` runs; `pid` itself until it is there.

    A signal to bubblewrap would end the command by force. Linux only.
    """
    return next((one.pid for one in below(pid) if _number_inside(one.pid) == (2, 2)), pid)


def _number_inside(pid: int) -> tuple[int, int]:
    """Return in how many pid namespaces a process is, from ours on, and its pid in the last."""
    try:
        with open(f"/proc/{pid}/status", "rb") as told:  # noqa: PTH123 - fast
            line = next((line for line in told if line.startswith(_INSIDE)), b"")
    except OSError:
        return (0, 0)
    numbers = line.removeprefix(_INSIDE).split()
    return (len(numbers), int(numbers[-1])) if numbers else (0, 0)
