"""What a session without a network reaches: the hosts on its list, by name and port."""

import base64
import contextlib
import os
import socket
import socketserver
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from abreast.process import forwarder
from abreast.runner.broker import LOG, Broker
from abreast.runner.broker_client import short_name
from tests.support.deadlines import SECONDS, eventually
from tests.support.left import processes_of


class Server(socketserver.ThreadingTCPServer):
    """Answers each connection with what it has heard until its other side said no more."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, answer: Callable[[socket.socket], None]) -> None:
        self.answer = answer
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _Handler(socketserver.BaseRequestHandler):
    server: Server

    def handle(self) -> None:
        self.server.answer(self.request)


def echo(peer: socket.socket) -> None:
    peer.sendall(b"heard " + b"".join(iter(lambda: peer.recv(65_536), b"")))


@contextlib.contextmanager
def server(answer: Callable[[socket.socket], None] = echo) -> Iterator[Server]:
    with Server(answer) as made:
        threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield made
        finally:
            made.shutdown()


@contextlib.contextmanager
def relay(folder: Path, *hosts: str, **environ: str) -> Iterator[Path]:
    broker = Broker(folder / "socket", cwd="/", environ=environ, hosts=hosts)
    try:
        yield folder / "socket"
    finally:
        broker.close()


def ask(path: Path, head: str, body: bytes = b"") -> bytes:
    """All that comes back for a request's head and what follows it."""
    with socket.socket(socket.AF_UNIX) as client, short_name(path) as name:
        client.connect(name)
        client.settimeout(SECONDS)
        client.sendall(head.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body)
        client.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: client.recv(65_536), b""))


def test_a_host_on_the_list_is_reached_and_hears_every_byte(tmp_path: Path) -> None:
    body = os.urandom(3_000_000)
    with server() as there, relay(tmp_path, f"localhost:{there.port}") as path:
        got = ask(path, f"CONNECT LOCALHOST.:{there.port} HTTP/1.1\nHost: elsewhere", body)
    assert got == b"HTTP/1.1 200 Connection established\r\n\r\nheard " + body


@pytest.mark.parametrize(
    "target",
    [
        "127.0.0.1:{port}",  # the same place, but not as the list has it
        "localhost:1",
        "localhost:0{port}9",
        "[::1]:{port}",
        "[::ffff:127.0.0.1]:{port}",
        "2130706433:{port}",
        "0x7f.1:{port}",
        "localhost.evil.example:{port}",
        "evil-localhost:{port}",
        "169.254.169.254:80",
    ],
)
def test_no_other_name_for_it_and_no_other_host(tmp_path: Path, target: str) -> None:
    with server() as there, relay(tmp_path, f"localhost:{there.port}") as path:
        host = target.format(port=there.port)
        for head in (f"CONNECT {host} HTTP/1.1", f"GET http://{host}/ HTTP/1.1"):
            assert ask(path, head).startswith((b"HTTP/1.1 403 ", b"HTTP/1.1 400 "))


@pytest.mark.parametrize(
    "head",
    [
        "CONNECT localhost HTTP/1.1",
        "CONNECT user@localhost:{port} HTTP/1.1",
        "CONNECT localhost:{port}@evil:1 HTTP/1.1",
        "CONNECT http://localhost:{port} HTTP/1.1",
        "GET / HTTP/1.1",
        "GET https://localhost:{port}/ HTTP/1.1",
        "GET http://user@localhost:{port}/ HTTP/1.1",
        "GET http://localhost:{port} x HTTP/1.1",
        "connect localhost:{port} HTTP/1.1",
        "\x16\x03\x01 nonsense",
    ],
)
def test_what_is_no_request_reaches_nobody(tmp_path: Path, head: str) -> None:
    with server() as there, relay(tmp_path, f"localhost:{there.port}") as path:
        assert ask(path, head.format(port=there.port)).startswith(b"HTTP/1.1 400 ")


def test_a_refusal_is_told_once_each(tmp_path: Path) -> None:
    with relay(tmp_path, "a:1") as path:
        for host in ("b:1", "B:1", "c:2"):
            ask(path, f"CONNECT {host} HTTP/1.1")
    assert (tmp_path / LOG).read_text() == "refused: b:1\nrefused: c:2\n"


def test_a_host_that_cannot_be_reached_is_no_end(tmp_path: Path) -> None:
    with server() as there:
        port = there.port
    with relay(tmp_path, f"localhost:{port}", "nobody.invalid:443") as path:
        assert ask(path, f"CONNECT localhost:{port} HTTP/1.1").startswith(b"HTTP/1.1 502 ")
        assert ask(path, "CONNECT nobody.invalid:443 HTTP/1.1").startswith(b"HTTP/1.1 502 ")


def test_without_encryption_one_request_goes_through(tmp_path: Path) -> None:
    """A second one on the same connection could be for anybody: the host is told to close it."""

    def answer(peer: socket.socket) -> None:
        heard = b""
        while not heard.endswith(b"{}"):  # the body may come by itself
            heard += peer.recv(65_536)
        peer.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + heard)

    with server(answer) as there, relay(tmp_path, f"localhost:{there.port}") as path:
        head = f"POST http://localhost:{there.port}/v1?a=b HTTP/1.1\nHost: localhost\n"
        head += "Proxy-Authorization: Basic eA==\nConnection: keep-alive\nContent-Length: 2"
        got = ask(path, head, b"{}")
    expected = b"POST /v1?a=b HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n"
    assert got.endswith(expected + b"Connection: close\r\n\r\n{}")


def test_the_users_own_proxy_is_gone_through(tmp_path: Path) -> None:
    asked: list[bytes] = []

    def proxy(peer: socket.socket) -> None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += peer.recv(1)
        asked.append(head)
        peer.sendall(b"HTTP/1.1 200 OK\r\nVia: x\r\n\r\n")
        echo(peer)

    with server(proxy) as there:
        url = f"http://me:pa%40ss@127.0.0.1:{there.port}"
        with relay(tmp_path, "model.invalid:443", HTTPS_PROXY=url) as path:
            got = ask(path, "CONNECT model.invalid:443 HTTP/1.1", b"hello")
    assert got == b"HTTP/1.1 200 Connection established\r\n\r\nheard hello"
    secret = base64.b64encode(b"me:pa@ss").decode()
    assert f"Proxy-Authorization: Basic {secret}\r\n".encode() in asked[0]


def test_it_ends_with_the_session(tmp_path: Path) -> None:
    hears = threading.Event()

    def waits(peer: socket.socket) -> None:
        peer.recv(65_536)
        hears.set()
        peer.recv(1)

    with server(waits) as there:
        broker = Broker(tmp_path / "s", cwd="/", environ={}, hosts=(f"localhost:{there.port}",))
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(tmp_path / "s"))
            client.settimeout(SECONDS)
            client.sendall(f"CONNECT localhost:{there.port} HTTP/1.1\r\n\r\nx".encode())
            assert hears.wait(SECONDS)
            broker.close()
            assert b"".join(iter(lambda: client.recv(100), b"")).endswith(b"established\r\n\r\n")
    assert not [one for one in threading.enumerate() if one.name.startswith("Thread-relay")]


CLIENT = """
import os, socket, sys, urllib.request
proxy = os.environ["HTTPS_PROXY"].rpartition(":")
with socket.create_connection(("127.0.0.1", int(proxy[2]))) as one:
    one.sendall(b"CONNECT {host} HTTP/1.1\\r\\n\\r\\n" + b"by the proxy")
    one.shutdown(socket.SHUT_WR)
    print(b"".join(iter(lambda: one.recv(65536), b"")).decode())
print(sys.argv[1:], os.environ["no_proxy"], "ALL_PROXY" in os.environ)
"""


REAPER = """
import subprocess, sys
from abreast.process.supervisor import become_subreaper
become_subreaper()  # as a runner is: what leaves its parent is still below it
sys.exit(subprocess.run(sys.argv[1:]).returncode)
"""


def test_inside_a_program_finds_its_proxy(tmp_path: Path) -> None:
    """It keeps its pid, streams and arguments; what forwards for it ends with it."""
    with server() as there, relay(tmp_path, f"localhost:{there.port}") as path:
        code = CLIENT.replace("{host}", f"localhost:{there.port}")
        argv = (sys.executable, "-I", "-S", forwarder.__file__, str(path), "--")
        done = subprocess.run(
            [sys.executable, "-c", REAPER, *argv, sys.executable, "-c", code, "a b", "--"],
            env={**os.environ, "ALL_PROXY": "http://x"},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=True,
        )
    lines = done.stdout.replace("\r", "").split("\n")
    assert lines[0] == "HTTP/1.1 200 Connection established"
    assert lines[2] == "heard by the proxy"
    eventually(lambda: processes_of(str(path)) == [], "what forwarded has ended")
    assert lines[3] == "['a b', '--'] localhost,127.0.0.1,::1 False"
