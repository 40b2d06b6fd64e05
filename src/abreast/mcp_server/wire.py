"""Our standard input and output, kept for the protocol alone, and readable until told to stop."""

import contextlib
import os
import select
import sys
import threading

from abreast.mcp_server.vetting import vet

_CHUNK = 1 << 16


class Wire:
    """The client's two ends, one message a line. `readline` and `write` are for one thread each.

    From the moment it is made, whatever else this process prints goes to standard error, and
    whatever it starts reads nothing of the client's.
    """

    def __init__(self) -> None:
        self._in, self._out = _dup(0), _dup(1)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.dup2(2, 1)
        self._heard, self._bell = os.pipe()
        os.set_blocking(self._bell, False)
        self._poll = select.poll()
        for descriptor in (self._in, self._heard):
            self._poll.register(descriptor, select.POLLIN)
        self._buffer = bytearray()
        self._lines: list[str] = []
        self._closed = threading.Event()
        self._sending = threading.Lock()  # the thread that reads answers what nobody else gets
        self._drop = 0

    def readline(self) -> str:
        """Return the next line; "" once the client has gone, or `close` was called."""
        while (line := self.hear()) is None:
            pass
        return line

    def hear(self) -> str | None:
        """Return like `readline`, or None when `wake` was called before there was a line."""
        if self._lines:
            return self._lines.pop(0)
        while not self._closed.is_set():
            end = self._buffer.find(b"\n")
            if end >= 0:
                line = bytes(self._buffer[: end + 1])
                del self._buffer[: end + 1]
                if not self._take(line.decode("utf-8", "replace")):
                    continue
                return self._lines.pop(0)
            ready = {descriptor for descriptor, _ in self._poll.poll()}
            if self._heard in ready:
                os.read(self._heard, 1)
                return "" if self._closed.is_set() else None
            if not self._more():
                self._closed.set()
        return ""

    def _take(self, line: str) -> bool:
        """Keep what is to be read of a line, and answer the rest; return whether any is left."""
        found = vet(line)
        for reply in found.replies:
            self._send(reply)
        self._lines += found.passed
        return bool(found.passed)

    def _more(self) -> bool:
        try:
            chunk = os.read(self._in, _CHUNK)
        except OSError:
            return False
        self._buffer += chunk
        return bool(chunk)

    def unread(self, lines: list[str]) -> None:
        """Put lines back, to be read first."""
        self._lines[:0] = lines

    def drop(self, lines: int) -> None:
        """Say nothing of the next so many lines that are written."""
        self._drop += lines

    def write(self, text: str) -> None:
        """Send whole lines. A client that does not read any more has gone."""
        if self._drop:
            self._drop -= 1
            return
        self._send(text)

    def _send(self, text: str) -> None:
        left = memoryview(text.encode("utf-8", "replace"))
        try:
            with self._sending:
                while left:
                    left = left[os.write(self._out, left) :]
        except OSError:
            self.close()

    def flush(self) -> None:
        """Do nothing: what is written has been sent."""

    def wake(self) -> None:
        """Make `hear` return, from any thread or signal handler."""
        with contextlib.suppress(OSError):  # it is full of calls that have not been heard yet
            os.write(self._bell, b"!")

    def close(self) -> None:
        """Make `readline` return its last line, from any thread or signal handler."""
        self._closed.set()
        self.wake()


def _dup(descriptor: int) -> int:
    import fcntl

    return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 3)


def narrate(text: str) -> None:
    """Say something to whoever looks after the server: standard output is not ours."""
    sys.stderr.write(f"abreast mcp: {text}\n")
    sys.stderr.flush()
