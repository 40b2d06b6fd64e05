"""Inside a sandbox: asks the session's broker to do what can only be done outside.

`abreast mcp` and `abreast tell` come here, where the variable BROKER names a socket.
"""

import contextlib
import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from abreast.errors import StateError

_CHUNK = 1 << 16
_ANSWER = 1 << 20  # bytes


@contextlib.contextmanager
def short_name(path: Path) -> Iterator[str]:
    """Yield a name for the Unix socket `path` of less than 108 bytes, which is all there may be."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def tell(path: str, session: str, text: str, *, wait: float, json: bool) -> int:
    """Have a message sent, print what there is to say of it, and return the exit code."""
    asked = {"verb": "tell", "session": session, "text": text, "wait": wait, "json": json}
    with _connected(path) as broker:
        answer = _ask(broker, asked)
    sys.stdout.write(str(answer.get("out", "")))
    sys.stderr.write(str(answer.get("err", "")))
    return int(answer.get("code", 1))


def speak(path: str) -> int:
    """Pass on the protocol between standard input and output and a server outside.

    Ends when one of the two does, or a signal arrives.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    with _connected(path) as broker:
        answer = _ask(broker, {"verb": "mcp"})
        if answer.get("code"):
            sys.stderr.write(str(answer.get("err", "")))
            return 1
        threading.Thread(target=_pass_on, args=(broker,), daemon=True).start()
        with contextlib.suppress(OSError):  # the client has gone
            while chunk := broker.recv(_CHUNK):
                left = memoryview(chunk)
                while left:
                    left = left[os.write(1, left) :]
    return 0


def _pass_on(broker: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while chunk := os.read(0, _CHUNK):
            broker.sendall(chunk)
    with contextlib.suppress(OSError):
        broker.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def _connected(path: str) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as broker:
        try:
            with short_name(Path(path)) as name:
                broker.connect(name)
        except OSError as error:
            raise _unreached(path) from error
        yield broker


def _ask(broker: socket.socket, asked: dict[str, Any]) -> dict[str, Any]:
    said = b""
    try:
        broker.sendall(json.dumps(asked).encode() + b"\n")
        while not said.endswith(b"\n") and len(said) < _ANSWER:
            chunk = broker.recv(1 if asked["verb"] == "mcp" else _CHUNK)
            if not chunk:
                break
            said += chunk
        answer = json.loads(said)
    except (OSError, ValueError) as error:
        raise _unreached("what serves this session outside of its sandbox") from error
    return answer if isinstance(answer, dict) else {}


def _unreached(what: str) -> StateError:
    hint = "it lives as long as the session's own process: go on without"
    return StateError(f"{what} does not answer", hint=hint)
