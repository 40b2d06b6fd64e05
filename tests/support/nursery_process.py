"""The process that forks workers; see `nursery`. Alone in its file: it imports nothing of tests."""

import contextlib
import gc
import json
import os
import runpy
import select
import signal
import socket
import sys
import time
from typing import NoReturn

_WORKER = "abreast.engine.working.worker"
_RUNNER = "abreast.runner.__main__"


def _serve(address: str) -> None:
    """Fork a worker for each order until our standard input ends."""
    __import__("abreast.runner.fork_server")
    for module in (_WORKER, _RUNNER):
        __import__(module)
        del sys.modules[module]  # what it imports stays; itself, each runs as its own `__main__`
    gc.collect()
    gc.freeze()  # a collection would write to all that the workers share with us
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those who hand on exit codes
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()
        while 0 not in select.select([0, listener], [], [])[0]:
            connection, _ = listener.accept()
            with connection:
                if os.fork() == 0:
                    listener.close()
                    _attend(connection)


def _attend(connection: socket.socket) -> NoReturn:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with connection.makefile("rb") as lines:
        order = json.loads(lines.readline())
    if (worker := os.fork()) == 0:
        connection.close()
        _become(order)
    if hasattr(os, "pidfd_open"):  # on Linux
        ended = os.pidfd_open(worker)
        if ended not in select.select([ended, connection], [], [])[0]:
            # Nothing is ever sent: the tests have died, and nobody else would end their worker.
            os.kill(worker, signal.SIGKILL)
    _, status = os.waitpid(worker, 0)
    with contextlib.suppress(OSError):
        connection.sendall(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def _become(order: dict) -> NoReturn:
    """Run the worker, as the interpreter does."""
    code = 1
    try:
        os.setsid()
        os.chdir(order["cwd"])
        for number, path, how in (
            (0, os.devnull, os.O_RDONLY),
            (1, order["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT),
        ):
            file = os.open(path, how, 0o666)
            os.dup2(file, number)
            os.close(file)
        os.dup2(1, 2)
        os.environ.clear()
        os.environ.update(order["env"])
        time.tzset()
        if _forks_runners():
            module, arguments = _RUNNER, ["--fork-server"]
        else:
            module, arguments = _WORKER, order["argv"][4:]
            if prelude := os.environ.pop("ABREAST_TEST_PRELUDE", ""):
                runpy.run_path(prelude)
        sys.argv[1:] = arguments
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as end:
        if isinstance(end.code, str):
            sys.stderr.write(f"{end.code}\n")
        else:
            code = end.code or 0
    except BaseException:  # noqa: BLE001 (as the interpreter does)
        sys.excepthook(*sys.exc_info())
    finally:
        with contextlib.suppress(OSError):
            sys.stderr.flush()
        os._exit(code)


def _forks_runners() -> bool:
    """Fork the worker's fork server, for the same reason; return whether we are that one."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    if (pid := os.fork()) == 0:
        ours.close()
        os.setsid()
        os.dup2(theirs.detach(), 0)
        nothing = os.open(os.devnull, os.O_WRONLY)
        for stream in (1, 2):
            os.dup2(nothing, stream)
        return True
    theirs.close()
    fork_server = sys.modules["abreast.engine.working.session.fork_server"].fork_server
    fork_server._control, fork_server._process = ours, _Child(pid)
    return False


class _Child:
    """The fork server, to its worker."""

    def __init__(self, pid: int) -> None:
        self._pid = pid

    def kill(self) -> None:
        os.kill(self._pid, signal.SIGKILL)

    def wait(self) -> None:
        os.waitpid(self._pid, 0)


if __name__ == "__main__":
    _serve(sys.argv[1])
