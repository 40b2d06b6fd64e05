"""Runners that are forked from a process that has imported what they need.

Importing is most of what a runner costs to start. `python -m abreast.runner --fork-server ROOM` has
a socket as its standard input. Each message on it names an agent, or none, for which it is to be
prepared. With most comes another socket, on which a new runner is told its job, and tells who it
is. The server ends with its input: at the latest with the worker that started it. The runners stay.

What the system tells of a process (`ps`, `/proc/PID/environ`) it reads from where the arguments and
the environment lay when the process started. A forked runner writes its folder and its marker
there, so that it is found as any other. Linux only.
"""

import contextlib
import ctypes  # to write there; and every runner becomes a subreaper by it
import gc
import os
import signal
import socket
from functools import cache
from pathlib import Path

from abreast.agents import preload
from abreast.process.identity import MARKER
from abreast.runner.order import NOBODY, ROOM, RunnerOrder, parse_order

_ARGUMENTS, _ENVIRONMENT = 45, 47  # where they begin, behind the name in /proc/PID/stat: proc(5)


def serve() -> RunnerOrder | None:
    """Fork a runner for each socket that comes.

    Returns in each runner, with its order, and at the end of the server, with None. So it does in a
    runner for which there is nothing to do, because the worker has gone or has started another.
    """
    _imported("")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    with socket.socket(fileno=os.dup(0)) as control:
        while True:
            said, sockets, *_ = socket.recv_fds(control, 256, 1)
            if not said:
                return None
            _imported(said[1:].decode())
            if not sockets:
                continue
            with socket.socket(fileno=sockets[0]) as connection:
                try:
                    forked = os.fork()
                except OSError:  # no more processes: the worker hears that the socket is closed
                    continue
                if forked == 0:
                    control.close()
                    return _begin(connection)


@cache
def _imported(agent: str) -> None:
    """Import what a runner of the agent needs, 50 ms for some, for all that are forked from now."""
    with contextlib.suppress(Exception):  # the runner will find the same, and say so in its log
        preload(agent)
    gc.collect()
    gc.freeze()  # a collection would write to all that the runners share with us


def _begin(connection: socket.socket) -> RunnerOrder | None:
    """Become a process as `spawn_detached` makes one, and hear what for."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    with connection.makefile("rb") as file:
        order = parse_order(file.read())
    if order is None:
        return None
    _show(os.fsencode(order.directory), os.fsencode(order.env[MARKER]))
    ourselves = os.pidfd_open(os.getpid())
    try:
        socket.send_fds(connection, [b"%d" % os.getpid()], [ourselves])
    except OSError:
        return None
    finally:
        os.close(ourselves)
    return order


def _show(directory: bytes, marker: bytes) -> None:
    """Write over what the system tells of our arguments and our environment."""
    stat = Path("/proc/self/stat").read_bytes()
    begin = stat[stat.rindex(b")") + 2 :].split()
    line, environ = (Path(f"/proc/self/{name}").read_bytes() for name in ("cmdline", "environ"))
    text = directory[: len(ROOM)].ljust(len(ROOM))
    for start, found, old, new in (
        (_ARGUMENTS, line, f"\0{ROOM}\0", text),
        (_ENVIRONMENT, environ, f"{MARKER}={NOBODY}\0", marker),
    ):
        behind = found.index(old.encode()) + len(old) - 1
        ctypes.memmove(int(begin[start]) + behind - len(new), new, len(new))
