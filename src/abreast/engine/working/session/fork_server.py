"""Asks a fork server for runners (see `abreast.runner.fork_server`)."""

import contextlib
import os
import select
import socket
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

from abreast.process.command import Detached, spawn_waiting
from abreast.process.identity import MARKER
from abreast.runner.order import FORK_SERVER, NOBODY, ROOM, RunnerOrder

_ANSWER = 10.0  # seconds for a runner to say who it is; without, it is started as its own program
_LOCALE = frozenset({"LANG", "LC_ALL", "LC_CTYPE"})


class ForkedRunner:
    """A runner that is no child of ours. `descriptor` can be read once it has ended."""

    def __init__(self, pid: int, descriptor: int) -> None:
        self.pid, self.descriptor = pid, descriptor
        self._look = select.poll()
        self._look.register(descriptor, select.POLLIN)

    def poll(self) -> int | None:
        """Return 0 once it has ended, else None."""
        return 0 if self._look.poll(0) else None

    def wait(self) -> int:
        """Wait for its end, however that was."""
        self._look.poll()
        return 0

    def __del__(self) -> None:
        os.close(self.descriptor)


class ForkServer:
    """One server, started when it is first needed. Safe to use from threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: Detached | None = None
        self._control: socket.socket | None = None

    def start(
        self, directory: Path, env: Mapping[str, str], log: Path, given: bytes, agent: str
    ) -> ForkedRunner | None:
        """Fork a runner for the job in `directory`; None: the caller has to start one itself."""
        order = RunnerOrder(str(directory), env, str(log), given.decode())
        ours, theirs = socket.socketpair()
        with ours, theirs:
            try:
                socket.send_fds(self._begun(), [b"+" + agent.encode()], [theirs.fileno()])
                theirs.close()
                ours.settimeout(_ANSWER)
                ours.sendall(order.to_bytes())
                ours.shutdown(socket.SHUT_WR)
                said, told, *_ = socket.recv_fds(ours, 32, 1)
            except (AttributeError, OSError):
                said, told = b"", []
        if not told:
            self.close()
            return None
        os.set_inheritable(told[0], False)
        return ForkedRunner(int(said), told[0])

    def prepare(self, agent: str = "") -> None:
        """See that a server is there when it is needed, and ready for jobs of the agent."""
        try:
            self._begun().send(b"+" + agent.encode())
        except TimeoutError:
            self.close()
        except (AttributeError, OSError):
            pass  # whoever needs a runner will find the same

    def _begun(self) -> socket.socket:
        with self._lock:
            if self._control is None:
                os.close(os.pidfd_open(os.getpid()))  # raises where there is no such thing
                # Each message is one packet.
                ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                with theirs:
                    argv = [sys.executable, "-I", "-m", "abreast.runner", FORK_SERVER, ROOM]
                    # Of our environment, what decides how names of files are read. The rest of a
                    # runner's comes with its order.
                    kept = {k: v for k, v in os.environ.items() if k in _LOCALE}
                    env = {**kept, MARKER: NOBODY}
                    self._process = spawn_waiting(argv, env, theirs.fileno())
                ours.settimeout(_ANSWER)  # one that is stopped reads nothing
                self._control = ours
            return self._control

    def close(self) -> None:
        """End the server; the next runner starts another."""
        with self._lock:
            process, self._process = self._process, None
            control, self._control = self._control, None
        if control is not None:
            control.close()
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()  # it holds nothing
            process.wait()


fork_server = ForkServer()
"""That of this process."""
