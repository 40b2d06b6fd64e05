"""Workers that need not import their modules: each is forked from a process that has them.

Importing is two thirds of what a worker costs to start, and as much as all the rest of a short
test. A forked worker runs the same module from its first line, as `__main__`, with the command
line, environment, folder, log and session that it would have been started with. So does the fork
server that each worker has for its runners. Workers that a program starts, not the test itself, are
started as for users, and so are all in the tests that are about how workers start and end
(`as_for_users`).
"""

import json
import os
import select
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from abreast.process.identity import MARKER
from abreast.runner.order import NOBODY, ROOM
from abreast.runner.successor import Successor
from tests.support.deadlines import SECONDS

_COMMAND = (sys.executable, "-I", "-m", "abreast.engine.working.worker")


class Forked:
    """A worker, to its parent: `poll` tells its exit code once it has ended."""

    def __init__(self, news: int) -> None:
        self._news = news  # a descriptor: there is something to read once the worker has ended
        self._code: int | None = None

    def poll(self) -> int | None:
        if self._code is None and select.select([self._news], [], [], 0)[0]:
            self._code = int(os.read(self._news, 16) or b"-9")
            os.close(self._news)
        return self._code


class Nursery:
    """Starts its process when it is first needed; `folder` is for its socket."""

    def __init__(self, folder: Path) -> None:
        self._address = folder / "socket"
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, order: Successor) -> Forked:
        assert order.argv[:4] == _COMMAND, order.argv
        with self._lock:
            process = self._process or self._begin()
        connection = socket.socket(socket.AF_UNIX)
        late = time.monotonic() + SECONDS
        while connection.connect_ex(str(self._address)):
            assert process.poll() is None, "the nursery has ended"
            assert time.monotonic() < late, "the nursery does not answer"
            time.sleep(0.01)
        connection.sendall(json.dumps(asdict(order)).encode() + b"\n")
        return Forked(connection.detach())

    def _begin(self) -> subprocess.Popen[bytes]:
        argv = [*_COMMAND[:2], Path(__file__).with_name("nursery_process.py"), self._address]
        argv += ["-m", "abreast.runner", ROOM]  # what is shown of runners is written over it
        # Without the environment of the test that needs it first: that would name its folders.
        self._process = subprocess.Popen(
            argv, cwd="/", env={MARKER: NOBODY}, stdin=subprocess.PIPE, start_new_session=True
        )
        return self._process

    def close(self) -> None:
        if self._process is not None:
            self._process.communicate()  # it ends with its standard input
            self._process = None


_NURSERIES: list[Nursery] = []


@pytest.fixture(scope="session", autouse=True)
def nursery() -> Iterator[None]:
    _NURSERIES.append(Nursery(Path(tempfile.mkdtemp(prefix="abreast-nursery-"))))
    yield
    _NURSERIES.pop().close()


def fork(order: Successor) -> Forked:
    """Fork the worker that `order` would start."""
    return _NURSERIES[-1].start(order)
