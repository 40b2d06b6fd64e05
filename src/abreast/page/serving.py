"""One server of the page for a state folder: started, found by a second one, and ended."""

import contextlib
import secrets
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from abreast.errors import StateError
from abreast.page.app import PageServer
from abreast.page.guard import Address
from abreast.page.keys import Keys
from abreast.places import Places
from abreast.process.files import load_as, write_atomic, write_json
from abreast.process.identity import Identity, identify

FILE = "page.json"
PORT = 4717
"""Where the page is unless told otherwise; where that is taken, any that is free."""

_OPENING = "page-open.html"
LOOPBACK = "127.0.0.1"
_PATIENCE = 5.0  # seconds for a server that is there


@dataclass(frozen=True)
class ServingPage:
    """The server that is there: what a second one, or a program of the same user, needs of it."""

    process: Identity
    url: str
    port: int
    token: str
    read_only: bool = False


@contextlib.contextmanager
def server(
    places: Places, *, port: int | None = None, read_only: bool = False
) -> Iterator[tuple[uvicorn.Server, socket.socket, str]]:
    """Yield a server that is bound and noted, its socket, and the address of a link that opens it.

    Port 0 is any that is free; without one it is `PORT`, if that is free. Raises StateError when
    the port is taken.
    """
    places.make()
    bound = _any_port() if port is None else _bind(port)
    try:
        keys = Keys()
        at = bound.getsockname()[1]
        name = f"abreast-{secrets.token_hex(4)}.localhost"
        address = Address(name, at)
        app = PageServer(places, address, keys, read_only=read_only).app()
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            lifespan="off",
            ws="none",
            timeout_graceful_shutdown=2,
        )
        note = ServingPage(identify(), address.url, at, keys.token, read_only)
        write_json(places.state / FILE, note)
        try:
            yield uvicorn.Server(config), bound, _link(address.url, keys.link())
        finally:
            if load_as(ServingPage, places.state / FILE) == note:
                (places.state / FILE).unlink(missing_ok=True)
                (places.state / _OPENING).unlink(missing_ok=True)
    finally:
        bound.close()


def _any_port() -> socket.socket:
    try:
        return _bind(PORT)
    except StateError:
        return _bind(0)


def _bind(port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((LOOPBACK, port))
    except OSError as failure:
        made.close()
        raise StateError(
            f"port {port} of {LOOPBACK} cannot be had: {failure.strerror}",
            hint="abreast serve --port 0 takes one that is free",
        ) from failure
    return made


def find_server(places: Places) -> ServingPage | None:
    """Return the server of this state folder that lives, or None."""
    found = load_as(ServingPage, places.state / FILE)
    return found if found and found.process.alive else None


def new_link(found: ServingPage) -> str:
    """Return a link that opens the server once; raises StateError when it does not answer."""
    request = urllib.request.Request(
        f"http://{LOOPBACK}:{found.port}/link",
        method="POST",
        headers={"Authorization": f"Bearer {found.token}"},
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=_PATIENCE) as answer:
            said: bytes = answer.read(10_000)
    except (OSError, urllib.error.URLError) as failure:
        raise StateError(
            f"the page of process {found.process.pid} does not answer: {failure}",
            hint=f"end it: kill {found.process.pid}; or look at {found.url}",
        ) from failure
    return said.decode().strip()


def _link(url: str, key: str) -> str:
    return f"{url}/enter?key={key}"


def opening_file(places: Places, link: str) -> Path:
    """Return a file that leads a browser to a link: command lines are public, and it opens once.

    It goes with the server.
    """
    head = f'<meta http-equiv="refresh" content="0; url={link}">'
    write_atomic(places.state / _OPENING, f"<!doctype html><title>abreast</title>{head}\n")
    return places.state / _OPENING
