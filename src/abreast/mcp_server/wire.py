"""Standard input and output, kept for the protocol alone, and readable until told to stop.

The SDK silently drops what it cannot parse (such as half a character in a text), and the client
then waits until its timeout. Here every request gets one answer, whatever is in it.
"""

import contextlib
import fcntl
import json
import math
import os
import re
import select
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from abreast.model.text import whole_characters

_PARSE, _INVALID, _PARAMS = -32700, -32600, -32602  # of JSON-RPC 2.0
_DEPTH = 100  # of lists and objects in each other; the SDK's parser ends at about 200
_LARGEST = 2**63
_BATCH = 100
_DIGITS = 4000  # Python reads up to 4300
_ID = re.compile(r'"id"\s*:\s*(-?(?:0|[1-9]\d{0,17})(?![\d.eE])|"[^"\\\x00-\x1f]*")')


@dataclass(frozen=True)
class Vetted:
    """Lines for the SDK, and replies for the client."""

    passed: tuple[str, ...] = ()
    replies: tuple[str, ...] = ()


def vet(line: str) -> Vetted:
    """Return what to pass on and what to reply for a line of the client's."""
    text = line.strip().removeprefix("\ufeff")
    if not text:
        return Vetted()
    try:
        message = json.loads(text, parse_int=_whole)
    except (ValueError, RecursionError):
        return _refused(_number_in(text), _PARSE, "this is not JSON, or nested too deeply")
    if not isinstance(message, list):
        return _vetted(message)
    # A batch, which protocol versions until 2025-03-26 knew: its requests are answered one by one.
    if not 0 < len(message) <= _BATCH:
        return _refused(None, _INVALID, f"a batch holds 1 to {_BATCH} messages")
    each = [_vetted(one) for one in message]
    return Vetted(
        tuple(line for one in each for line in one.passed),
        tuple(line for one in each for line in one.replies),
    )


def _vetted(message: Any) -> Vetted:
    if not isinstance(message, dict):
        return _refused(None, _INVALID, "a message is an object")
    if "method" not in message and ("result" in message or "error" in message):
        return Vetted()  # an answer, and we ask nothing
    asks = "id" in message
    number = message.get("id")
    good = isinstance(number, str) or (type(number) is int and abs(number) < _LARGEST)
    reason = _problem(message, good=good or not asks)
    if not reason:
        line = json.dumps(message, ensure_ascii=False, separators=(",", ":"))
        return Vetted((whole_characters(line) + "\n",))
    # Without an id it is a notification, which is never answered, if it is a message at all.
    if not asks and isinstance(message.get("method"), str):
        return Vetted()
    return _refused(number if good else None, *reason)


def _problem(message: dict[str, Any], *, good: bool) -> tuple[int, str] | None:
    """Return code and message for what the SDK could not parse, None when it can."""
    if message.get("jsonrpc") != "2.0":
        return _INVALID, "`jsonrpc` must be 2.0"
    if not good or "\ufffd" in whole_characters(str(message.get("id"))):
        return _INVALID, "`id` must be a text or a whole number"
    if not isinstance(message.get("method"), str):
        return _INVALID, "`method` must be a text"
    if not isinstance(message.get("params"), dict | None):
        return _PARAMS, "`params` must be an object"
    for value, depth in _leaves(message):
        if depth > _DEPTH or (isinstance(value, float) and not math.isfinite(value)):
            return _INVALID, f"it is nested more than {_DEPTH} deep, or has a number without end"
    return None


def _whole(digits: str) -> int | float:
    return int(digits) if len(digits) < _DIGITS else math.inf


def _number_in(text: str) -> str | int | None:
    """Return the id of a request that is not valid JSON, if it has exactly one."""
    found = _ID.findall(text) if '"method"' in text else []
    return json.loads(found[0]) if len(found) == 1 else None


def _leaves(message: Any) -> Iterator[tuple[Any, int]]:
    """Yield each value with its depth, down to the first level that is too deep."""
    waiting = [(message, 0)]
    while waiting:
        value, depth = waiting.pop()
        yield value, depth
        inner = value.values() if isinstance(value, dict) else value
        if isinstance(value, dict | list) and depth <= _DEPTH:
            waiting += [(one, depth + 1) for one in inner]


def _refused(number: str | int | None, code: int, reason: str) -> Vetted:
    error = {"code": code, "message": reason}
    # In ASCII: half a character in the id comes back as it was.
    return Vetted(replies=(json.dumps({"jsonrpc": "2.0", "id": number, "error": error}) + "\n",))


_CHUNK = 1 << 16
LONGEST = 4 << 20  # bytes of a message; the longest question has some ten thousand


class Wire:
    """The client's input and output, a message a line. Only one thread may read, and one write.

    From the moment it is made, whatever else this process prints goes to standard error, and
    whatever it starts reads nothing of the client's.
    """

    def __init__(self) -> None:
        self._in, self._out = (fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 3) for end in (0, 1))
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
        self._searched = 0  # bytes at its beginning in which there is no end of a line
        self._lines: list[str] = []
        self._closed = threading.Event()
        self._sending = threading.Lock()  # the thread that reads answers what nobody else gets
        self._drop = 0

    def readline(self) -> str:
        """Return the next line; "" once the client has gone, or `close` was called."""
        if self._lines:
            return self._lines.pop(0)
        while not self._closed.is_set():
            line = self._next()
            if line is not None:
                if not self._take(line.decode("utf-8", "replace")):
                    continue
                return self._lines.pop(0)
            ready = {descriptor for descriptor, _ in self._poll.poll()}
            if self._heard in ready or not self._more():
                self._closed.set()
        return ""

    def _next(self) -> bytes | None:
        """Take the next whole line out of what was read; None while there is none."""
        end = self._buffer.find(b"\n", self._searched)
        if end < 0:
            self._searched = len(self._buffer)
            return None
        line = bytes(self._buffer[: end + 1])
        del self._buffer[: end + 1]
        self._searched = 0
        return line

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
        if len(self._buffer) > LONGEST and b"\n" not in self._buffer:
            refused = _refused(None, _INVALID, f"a message has at most {LONGEST} bytes")
            self._send(refused.replies[0])
            return False
        return bool(chunk)

    def unread(self, lines: list[str]) -> None:
        """Put lines back, to be read first."""
        self._lines[:0] = lines

    def drop(self, lines: int) -> None:
        """Discard the next `lines` lines that are written."""
        self._drop += lines

    def write(self, text: str) -> None:
        """Send whole lines. When the client no longer reads, the wire is closed."""
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

    def close(self) -> None:
        """Make `readline` return its last line, from any thread or signal handler."""
        self._closed.set()
        with contextlib.suppress(OSError):  # it is full of calls that have not been heard yet
            os.write(self._bell, b"!")


def narrate(text: str) -> None:
    """Print a line to standard error; standard output carries the protocol."""
    sys.stderr.write(f"abreast mcp: {text}\n")
    sys.stderr.flush()
