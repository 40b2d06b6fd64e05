"""A proxy that reaches a few hosts and nothing else: the network of a session that has none.

A client asks it for `CONNECT host:port`, or, without encryption, for `POST http://host:port/...`.
Only what is on the list, by name and port, is looked up and connected to; an address in numbers
is reached only where the list has it so. What is encrypted stays so: nothing is read or changed.
"""

import contextlib
import re
import socket
import threading
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from urllib.parse import unquote, urlsplit

_PATIENCE = 30.0  # seconds until a host has been reached
_CHUNK = 1 << 16
_HEAD = 1 << 16  # bytes of an answer's head
_TOLD = 100  # refusals that are written down, of different hosts
_HOST = r"([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])"
_CONNECT = re.compile(rf"CONNECT {_HOST}:(\d{{1,5}}) HTTP/1\.[01]")
_PLAIN = re.compile(
    rf"(?!CONNECT)([A-Z]{{3,10}}) http://{_HOST}(?::(\d{{1,5}}))?(/[!-~]*)? (HTTP/1\.[01])"
)
_HOPS = ("connection:", "proxy-connection:", "proxy-authorization:", "keep-alive:")


class Relay:
    """Connects to `hosts` (`host:port`, as many as there are) and to nothing else.

    `environ` may name a proxy of the user's: hosts beyond this machine are reached through it.
    `tell` is called once for each host that was refused.
    """

    def __init__(
        self, hosts: Iterable[str], environ: Mapping[str, str], tell: Callable[[str], object]
    ) -> None:
        self._hosts = frozenset(hosts)
        self._environ, self._tell = environ, tell
        self._refused: set[str] = set()

    def serve(self, client: socket.socket, head: bytes, rest: bytes) -> None:
        """Answer the request `head`, after which `rest` was read; return when both have ended."""
        line, _, lines = head.decode("latin-1").partition("\r\n")
        plain = _PLAIN.fullmatch(line)
        asked = _CONNECT.fullmatch(line)
        if plain:
            host, port = plain[2], plain[3] or "80"
        elif asked:
            host, port = asked[1], asked[2]
        else:
            _say(client, "400 Bad Request", "ask for CONNECT host:port")
            return
        name = f"{host.lower().rstrip('.')}:{int(port)}"
        if name not in self._hosts:
            self._refuse(name)
            _say(client, "403 Forbidden", f"{name} is not reached: this session has no network")
            return
        try:
            server = self._connect(name.rpartition(":")[0].strip("[]"), int(port), plain is None)
        except OSError as error:
            _say(client, "502 Bad Gateway", f"{name} was not reached: {error}")
            return
        with server:
            if plain:
                begin = f"{plain[1]} {plain[4] or '/'} {plain[5]}\r\n{_without_hops(lines)}"
                server.sendall(begin.encode("latin-1"))
            else:
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            server.sendall(rest)
            join(client, server)

    def _refuse(self, name: str) -> None:
        if name not in self._refused and len(self._refused) < _TOLD:
            self._refused.add(name)
            self._tell(f"refused: {name}")

    def _connect(self, host: str, port: int, encrypted: bool) -> socket.socket:
        proxy = self._proxy(host) if encrypted else ""
        if not proxy:
            return _open(host, port)
        found = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        if found.scheme != "http" or not found.hostname:
            raise OSError("the proxy of the environment is none that speaks plain HTTP")
        server = _open(found.hostname, found.port or 80)
        try:
            _ask(server, host, port, found.username, found.password)
        except BaseException:
            server.close()
            raise
        return server

    def _proxy(self, host: str) -> str:
        """Return the proxy by which the user reaches a host; "" for none."""
        proxy = self._environ.get("HTTPS_PROXY") or self._environ.get("https_proxy") or ""
        spared = self._environ.get("NO_PROXY") or self._environ.get("no_proxy") or ""
        names = [name.strip().lstrip("*.").lower() for name in spared.split(",")]
        local = host in {"localhost", "127.0.0.1", "::1"} or spared.strip() == "*"
        near = any(f".{host.lower()}".endswith(f".{name}") for name in names if name)
        return "" if local or near else proxy


def _open(host: str, port: int) -> socket.socket:
    server = socket.create_connection((host, port), timeout=_PATIENCE)
    server.settimeout(None)
    return server


def _ask(
    server: socket.socket, host: str, port: int, user: str | None, password: str | None
) -> None:
    """Have a proxy connect; raises OSError when it does not."""
    named = f"[{host}]" if ":" in host else host
    lines = [f"CONNECT {named}:{port} HTTP/1.1", f"Host: {named}:{port}"]
    if user is not None:
        pair = f"{unquote(user)}:{unquote(password or '')}".encode()
        lines.append(f"Proxy-Authorization: Basic {b64encode(pair).decode()}")
    server.settimeout(_PATIENCE)
    server.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):  # byte by byte: what follows is the host's
        byte = server.recv(1)
        answer += byte
        if not byte or len(answer) > _HEAD:
            raise OSError("the proxy of the environment did not answer")
    if not re.match(rb"HTTP/1\.[01] 2\d\d", answer):
        raise OSError(
            f"the proxy of the environment said {answer[:60].split(chr(13).encode())[0]!r}"
        )
    server.settimeout(None)


def _without_hops(lines: str) -> str:
    """Return the lines of a head for the host: it is to close the connection after its answer."""
    kept = [one for one in lines.split("\r\n") if one and not one.lower().startswith(_HOPS)]
    return "".join(f"{one}\r\n" for one in [*kept, "Connection: close"]) + "\r\n"


def _say(client: socket.socket, status: str, text: str) -> None:
    body = f"{text}\n"
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {len(body.encode())}"
    with contextlib.suppress(OSError):
        client.sendall(f"{head}\r\nConnection: close\r\n\r\n{body}".encode())


def join(one: socket.socket, other: socket.socket) -> None:
    """Copy what each of two connections says to the other, until both have ended or one broke."""
    back = threading.Thread(target=_copy, args=(other, one), daemon=True)
    back.start()
    _copy(one, other)
    back.join()


def _copy(source: socket.socket, goal: socket.socket) -> None:
    try:
        while chunk := source.recv(_CHUNK):
            goal.sendall(chunk)
    except OSError:
        for end in (source, goal):  # the other direction must not wait for ever
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
    with contextlib.suppress(OSError):
        goal.shutdown(socket.SHUT_WR)
