"""A real server of the page, and who asks it: each request is written by hand."""

import asyncio
import http.client
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlencode

import pytest

from abreast.page import serving
from abreast.places import Places
from tests.support.deadlines import SECONDS, eventually


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    text: str


@dataclass
class Browser:
    """Asks one server; by default by its own name and with the cookie, once it has that."""

    port: int
    host: str
    cookie: str = ""
    token: str = ""
    link: str = ""
    own: dict[str, str] = field(default_factory=dict)

    def ask(
        self,
        path: str,
        method: str = "GET",
        *,
        host: str | None = None,
        cookie: str | None = None,
        body: str = "",
        **headers: str,
    ) -> Answer:
        sent = {"Host": self.host if host is None else host}
        if kept := self.cookie if cookie is None else cookie:
            sent["Cookie"] = kept
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        connection.request(method, path, body=body or None, headers=sent)
        found = connection.getresponse()
        text = found.read().decode()
        connection.close()
        return Answer(found.status, {k.lower(): v for k, v in found.getheaders()}, text)

    def post(self, path: str, *, site: str = "same-origin", **fields: str) -> Answer:
        """Send a form as the page itself does."""
        return self.ask(
            path,
            "POST",
            body=urlencode(fields),
            Content_Type="application/x-www-form-urlencoded",
            Sec_Fetch_Site=site,
            Origin=f"http://{self.host}",
        )

    def enter(self) -> None:
        """Open the link, and keep the cookie."""
        answer = self.ask(self.link[self.link.index("/enter") :])
        assert answer.status == 200
        self.cookie = answer.headers["set-cookie"].partition(";")[0]


Serve = Callable[..., Browser]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start servers, each with a browser that has not entered yet; all end with the test."""
    ends: list[Callable[[], None]] = []

    def start(places: Places, *, read_only: bool = False) -> Browser:
        context = serving.server(places, port=0, read_only=read_only)
        server, bound, link = context.__enter__()
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([bound])))
        thread.start()

        def end() -> None:
            server.should_exit = True
            thread.join(SECONDS)
            context.__exit__(None, None, None)
            assert not thread.is_alive()

        ends.append(end)
        eventually(lambda: server.started)
        note = json.loads((places.state / serving.FILE).read_text())
        host = note["url"].removeprefix("http://")
        return Browser(note["port"], host, token=note["token"], link=link)

    yield start
    for end in ends:
        end()
