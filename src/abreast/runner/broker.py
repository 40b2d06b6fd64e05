"""The way out of a session's sandbox: one Unix socket, and what may be asked for on it.

Inside, there is neither database nor state. `abreast mcp` and `abreast tell` there ask the runner
of the session, which starts the same command outside, in its name. A client says a line of JSON:

    {"verb": "tell", "session": ..., "text": ..., "wait": ..., "json": ...}
    {"verb": "mcp"}

and gets one, `{"code": ..., "out": ..., "err": ...}`; after that of `mcp` it speaks MCP. What is no
JSON goes to the relay, where the session has hosts to reach (`runner/relay.py`).

Clients are hostile: it is they who are in the sandbox. They name no folder, no program, no session
of their own and no variable; nothing they say is an option or imported. The broker lives in the
runner, as long as the session's process; a worker that ends or is started again is no matter to it.
"""

import contextlib
import json
import os
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from abreast.process import clock
from abreast.process.environment import BROKER, CONFINED, OFFLINE
from abreast.process.identity import stat_of
from abreast.runner.broker_client import short_name
from abreast.runner.relay import Relay

LOG = "broker.log"
CONNECTIONS = 64  # at once; a CLI keeps some ten to its provider
COMMANDS = 8  # at once, of those that are started here
LINE = 256 * 1024  # bytes of what a client says first; a message is an argument of at most 128 KiB
TEXT = 100_000  # bytes of a message
_OUTPUT = 64 * 1024  # characters of each output that a client gets
_PATIENCE = 10.0  # seconds for a client to say what it wants
_WAIT = 60.0  # seconds that `tell` may wait
_START = 60.0  # seconds for the rest of it
_GRACE = 2.0  # seconds for a command to leave, once its client has gone
_DEEPEST = 1000  # processes below each other
_TELL = ("session", "text", "wait", "json")


@dataclass(frozen=True)
class OutgoingMessage:
    """What `abreast tell` is to send; `wait` are seconds."""

    session: str
    text: str
    wait: float
    json: bool


class _RefusedError(Exception):
    """A client asks for what there is not."""


class Broker:
    """Serves the processes below `top` on the Unix socket at `path`, until it is closed.

    What it starts runs in `cwd` with the variables `environ`; what these have to say goes to a file
    LOG beside the socket. `hosts` (`host:port`) can be reached through it; None: the session has a
    network of its own.
    """

    def __init__(
        self,
        path: Path,
        *,
        cwd: str,
        environ: Mapping[str, str],
        hosts: tuple[str, ...] | None = None,
        top: int = 0,
    ) -> None:
        self._path, self._cwd, self._top = path, cwd, top or os.getpid()
        self._log = path.with_name(LOG)
        bounds = "bwrap" if hosts is None else f"bwrap {OFFLINE}"
        self._environ = {**environ, CONFINED: bounds}
        self._environ.pop(BROKER, None)
        self._relay = None if hosts is None else Relay(hosts, environ, self._tell)
        self._connections: dict[socket.socket, threading.Thread] = {}
        self._commands: set[subprocess.Popen[bytes]] = set()
        self._slots = threading.BoundedSemaphore(COMMANDS)
        self._lock = threading.Lock()
        self._closed = False
        self._listener = _listen(path)
        threading.Thread(target=self._accept, daemon=True).start()

    @contextlib.contextmanager
    def held(self) -> Iterator[set[int]]:
        """Yield the pids of what was started here, of which no other is added meanwhile.

        Whoever waits for any child of this process must leave these out.
        """
        with self._lock:
            yield {command.pid for command in self._commands}

    def close(self) -> None:
        """End every connection, and what was started for it; the socket goes."""
        with self._lock:
            self._closed = True
            ends = [self._listener, *self._connections]
            threads = list(self._connections.values())
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        late = clock.awake() + _GRACE
        for thread in threads:
            thread.join(max(0.0, late - clock.awake()))
        with self._lock:
            for command in self._commands:
                command.kill()
        for thread in threads:
            thread.join(_GRACE)
        self._listener.close()
        self._path.unlink(missing_ok=True)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                if self._closed:
                    return
                time.sleep(0.1)  # no descriptor is left for it
                continue
            thread = threading.Thread(target=self._serve, args=(client,), daemon=True)
            with self._lock:
                fits = len(self._connections) < CONNECTIONS and not self._closed
                if fits:
                    self._connections[client] = thread
            if fits and self._is_ours(client):
                thread.start()
            else:
                self._forget(client)

    def _forget(self, client: socket.socket) -> None:
        with self._lock:
            self._connections.pop(client, None)
        client.close()

    def _is_ours(self, client: socket.socket) -> bool:
        """Return whether a client is of our user, and below the process that we serve."""
        option = getattr(socket, "SO_PEERCRED", None)
        if option is None:
            return False
        told = client.getsockopt(socket.SOL_SOCKET, option, struct.calcsize("3i"))
        pid, uid, _ = struct.unpack("3i", told)
        return uid == os.getuid() and _is_below(pid, self._top)

    def _serve(self, client: socket.socket) -> None:
        try:
            with contextlib.suppress(OSError):
                head, rest = _first(client)
                if head.startswith(b"{"):
                    self._answer(client, head, rest)
                elif self._relay is not None and head:
                    self._relay.serve(client, head, rest)
        finally:
            self._forget(client)

    def _answer(self, client: socket.socket, head: bytes, rest: bytes) -> None:
        try:
            asked = _parsed(head, rest)
            self._take_slot()
        except _RefusedError as refused:
            _reply(client, 2, err=f"error: {refused}\n")
            return
        try:
            if asked is None:
                self._speak(client)
            else:
                self._run_tell(client, asked)
        finally:
            self._slots.release()

    def _take_slot(self) -> None:
        if not self._slots.acquire(blocking=False):
            raise _RefusedError(f"more than {COMMANDS} commands at once")

    def _speak(self, client: socket.socket) -> None:
        """Connect a client to a server of its own, which leaves when it does."""
        _reply(client, 0)
        with self._log.open("ab") as log:
            command = self._start("mcp", stdin=client, stdout=client, stderr=log)
        try:
            command.wait()
        finally:
            self._ended(command)

    def _run_tell(self, client: socket.socket, asked: OutgoingMessage) -> None:
        options = [f"--wait={asked.wait:g}", *(["--json"] if asked.json else [])]
        words = ("tell", *options, "--", asked.session, asked.text)
        pipe = subprocess.PIPE
        command = self._start(*words, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe)
        try:
            out, err = command.communicate(timeout=asked.wait + _START)
        except subprocess.TimeoutExpired:
            command.kill()
            out, err = command.communicate()
        finally:
            self._ended(command)
        texts = [output.decode("utf-8", "replace")[:_OUTPUT] for output in (out, err)]
        _reply(client, command.returncode, *texts)

    def _start(self, *words: str, **streams: Any) -> subprocess.Popen[bytes]:
        # Isolated: the folder that we start it in is the session's own, and no module of it counts.
        argv = (sys.executable, "-I", "-m", "abreast", *words)
        with self._lock:
            if self._closed:
                raise ConnectionAbortedError
            command = subprocess.Popen(argv, cwd=self._cwd, env=self._environ, **streams)
            self._commands.add(command)
        return command

    def _ended(self, command: subprocess.Popen[bytes]) -> None:
        with self._lock:
            self._commands.discard(command)

    def _tell(self, text: str) -> None:
        with contextlib.suppress(OSError), self._log.open("a", encoding="utf-8") as log:
            log.write(f"{text}\n")


def _listen(path: Path) -> socket.socket:
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with short_name(path) as name:
        listener.bind(name)
    path.chmod(0o600)
    listener.listen(16)
    return listener


def _is_below(pid: int, top: int) -> bool:
    for _ in range(_DEEPEST):
        if pid == top:
            return True
        found = stat_of(pid)
        if found is None or pid <= 1:
            return False
        pid = found.parent
    return False


def _first(client: socket.socket) -> tuple[bytes, bytes]:
    """Return the first line of JSON, or the head of a request, and what was read behind it.

    Empty for a client that says neither in time, or too much.
    """
    late, said = clock.awake() + _PATIENCE, b""
    while len(said) <= LINE and (left := late - clock.awake()) > 0:
        end = b"\n" if said.startswith(b"{") else b"\r\n\r\n"
        head, found, rest = said.partition(end)
        if found:
            client.settimeout(None)
            return head, rest
        client.settimeout(left)
        chunk = client.recv(65_536)
        if not chunk:
            break
        said += chunk
    return b"", b""


def _parsed(line: bytes, rest: bytes) -> OutgoingMessage | None:
    """Return what a client asks to tell, None for `mcp`; raises _RefusedError for all else."""
    if rest:
        raise _RefusedError("say one line, and wait for the answer")
    try:
        asked = json.loads(line)
    except (ValueError, RecursionError):
        raise _RefusedError("this is not JSON") from None
    if asked == {"verb": "mcp"}:
        return None
    if not isinstance(asked, dict) or asked.get("verb") != "tell":
        raise _RefusedError("inside a sandbox there are `abreast mcp` and `abreast tell`")
    session, text = _text(asked, "session"), _text(asked, "text")
    wait, as_json = asked.get("wait", _PATIENCE), asked.get("json", False)
    if isinstance(wait, bool) or not isinstance(wait, int | float) or not 0 <= wait <= 1e9:
        raise _RefusedError("`wait` is a number of seconds")
    if not isinstance(as_json, bool) or asked.keys() - {*_TELL, "verb"}:
        raise _RefusedError(f"tell takes {', '.join(_TELL)}")
    return OutgoingMessage(session, text, min(float(wait), _WAIT), as_json)


def _text(asked: Mapping[str, Any], name: str) -> str:
    value = asked.get(name)
    if not isinstance(value, str):
        raise _RefusedError(f"`{name}` is a text")
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        raise _RefusedError(f"`{name}` has half a character in it") from None
    if size > TEXT or "\0" in value:
        raise _RefusedError(f"`{name}` has more than {TEXT} bytes, or a zero in it")
    return value


def _reply(client: socket.socket, code: int, out: str = "", err: str = "") -> None:
    told = json.dumps({"code": code, "out": out, "err": err})
    client.sendall(told.encode() + b"\n")
