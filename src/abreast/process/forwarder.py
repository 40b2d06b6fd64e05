"""Inside a sandbox without a network: brings what a program asks for on 127.0.0.1 to a Unix socket.

    python -I -S forwarder.py SOCKET [HOST:PORT ...] -- PROGRAM [ARGUMENT ...]

Listens on a port of its own, which it names to PROGRAM as its proxy, and, for servers of the
machine outside, on their own ports; then becomes PROGRAM. At the other end of SOCKET is a relay
that knows which hosts may be reached. It is run as a file, and imports nothing of abreast.
"""

import contextlib
import os
import select
import socket
import sys
import threading

_CHUNK = 1 << 16
_HEAD = 1 << 14
_PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy")
_OTHERS = ("ALL_PROXY", "all_proxy")
_SPARED = ("NO_PROXY", "no_proxy")
_LOCAL = "localhost,127.0.0.1,::1"


def main(arguments: list[str]) -> None:
    """Listen, leave a process behind that forwards, and become the program."""
    end = arguments.index("--")
    (path, *hosts), program = arguments[:end], arguments[end + 1 :]
    proxy = _listen("127.0.0.1", 0)
    if proxy is None:
        sys.exit("abreast: there is no 127.0.0.1 in this sandbox")
    listeners = [(proxy, b"")]
    for host in hosts:
        name, _, port = host.rpartition(":")
        asks = f"CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
        addresses = ("127.0.0.1", "::1") if name == "localhost" else (name.strip("[]"),)
        opened = [_listen(address, int(port)) for address in addresses]
        listeners += [(one, asks) for one in opened if one is not None]
    url = f"http://127.0.0.1:{proxy.getsockname()[1]}"
    of = os.pidfd_open(os.getpid())
    if _left_behind():
        _forward(path, listeners, of)
    os.close(of)
    for listener, _ in listeners:
        listener.close()
    for name in _OTHERS:
        os.environ.pop(name, None)
    os.environ.update(dict.fromkeys(_PROXIES, url))
    os.environ.update(dict.fromkeys(_SPARED, _LOCAL))
    os.environ["NODE_USE_ENV_PROXY"] = "1"
    try:
        os.execvp(program[0], program)  # noqa: S606
    except OSError as error:
        sys.exit(f"cannot start {program[0]}: {error.strerror}")


def _listen(address: str, port: int) -> "socket.socket | None":
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(64)
    except OSError:
        return None
    return listener


def _left_behind() -> bool:
    """Return True in a grandchild, of which the program to be does not know; it has no streams.

    It ends when that does.
    """
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return False
    if os.fork():
        os._exit(0)
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    return True


def _forward(path: str, listeners: "list[tuple[socket.socket, bytes]]", of: int) -> None:
    for listener, asks in listeners:
        threading.Thread(target=_accept, args=(path, listener, asks), daemon=True).start()
    select.select([of], [], [])
    os._exit(0)


def _accept(path: str, listener: socket.socket, asks: bytes) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_serve, args=(path, client, asks), daemon=True).start()


def _serve(path: str, client: socket.socket, asks: bytes) -> None:
    with client, contextlib.suppress(OSError), _connected(path) as relay:
        if asks and not _is_open(relay, asks):
            return
        back = threading.Thread(target=_copy, args=(relay, client), daemon=True)
        back.start()
        _copy(client, relay)
        back.join()


def _connected(path: str) -> socket.socket:
    relay = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # The name of a Unix socket has less than 108 bytes; its folder may lie deeper.
    place, _, name = path.rpartition("/")
    folder = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
    try:
        relay.connect(f"/proc/self/fd/{folder}/{name}")
    except OSError:
        relay.close()
        raise
    finally:
        os.close(folder)
    return relay


def _is_open(relay: socket.socket, asks: bytes) -> bool:
    relay.sendall(asks)
    said = b""
    while not said.endswith(b"\r\n\r\n") and len(said) < _HEAD:
        byte = relay.recv(1)
        if not byte:
            return False
        said += byte
    return said.startswith(b"HTTP/1.1 200 ")


def _copy(source: socket.socket, goal: socket.socket) -> None:
    try:
        while chunk := source.recv(_CHUNK):
            goal.sendall(chunk)
    except OSError:
        for end in (source, goal):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
    with contextlib.suppress(OSError):
        goal.shutdown(socket.SHUT_WR)


if __name__ == "__main__":
    main(sys.argv[1:])
