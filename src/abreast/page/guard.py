"""Who gets anything from the server: each request passes here before anything looks at it.

The page lives at a name of its own below `.localhost`, because browsers send cookies to every port
of a host: another server on 127.0.0.1 would get ours. Whoever comes by another name, such as one
that was rebound to this address, gets nothing. By 127.0.0.1 or localhost only the token counts.
"""

from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from abreast.page.keys import Keys

MOST_BODY = 100_000
"""Bytes of a request's body: a person's words to an agent."""

COOKIE = "abreast"
OPEN_PATHS = ("/enter", "/static/")
"""Without any secret in them: the first has a key of its own, and comes from a file or a mail."""

_SAFE = frozenset({"GET", "HEAD"})
_OURS = frozenset({"same-origin", "none"})
"""What a browser says of the site that a request comes from: this page, or the person themself."""

HEADERS = {
    # No `style=` either, in SVG too; no script but our own file.
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none';"
        " object-src 'none'"
    ),
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    # With "no-referrer" browsers also hide where a form comes from, and we could not compare it.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True)
class Address:
    """Where the page is: `name` is its own, `others` what else leads to this port."""

    name: str
    port: int
    others: tuple[str, ...] = ("127.0.0.1", "localhost", "[::1]")

    @property
    def host(self) -> str:
        return f"{self.name}:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}"


class Guard:
    """ASGI middleware around the whole server."""

    def __init__(
        self, app: ASGIApp, *, address: Address, keys: Keys, read_only: bool = False
    ) -> None:
        self._app, self._address, self._keys = app, address, keys
        self._read_only = read_only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        refused = self._refusal(scope, Headers(scope=scope))
        if refused:
            status, words = refused
            await PlainTextResponse(f"{words}\n", status)(scope, receive, with_headers)
            return
        await self._app(scope, _bounded(receive), with_headers)

    def _refusal(self, scope: Scope, headers: Headers) -> tuple[int, str] | None:
        """Return the status and the words with which a request is refused; None for one of ours."""
        own = headers.getlist("host") == [self._address.host]
        safe = scope["method"] in _SAFE
        free = safe and scope["path"].startswith(OPEN_PATHS)
        if refused := self._of_its_way(headers, own=own, free=free):
            return refused
        if free:
            return None
        token = self._keys.is_token(_bearer(headers))
        if not token and not (own and self._keys.is_cookie(_cookie(headers))):
            return 401, "open the link that `abreast serve` prints; each opens once"
        if safe:
            return None
        return self._of_a_change(headers, token=token)

    def _of_its_way(self, headers: Headers, *, own: bool, free: bool) -> tuple[int, str] | None:
        """Refuse what comes by another name, from another page, or with too much."""
        others = [[f"{name}:{self._address.port}"] for name in self._address.others]
        if not own and headers.getlist("host") not in others:
            return 421, "this is abreast's page, and that is not its name"
        if not free and headers.get("sec-fetch-site", "none") not in _OURS:
            return 403, "another page has asked for this: open it from here"
        if _length(headers) > MOST_BODY:
            return 413, f"more than {MOST_BODY:,} bytes"
        return None

    def _of_a_change(self, headers: Headers, *, token: bool) -> tuple[int, str] | None:
        if self._read_only:
            return 403, "this server was started with --read-only"
        # A cookie goes along with whatever a browser sends here: what changes something must say
        # that it comes from this page itself.
        said = headers.get("sec-fetch-site"), headers.get("origin", self._address.url)
        if not token and said != ("same-origin", self._address.url):
            return 403, "only this page itself can do that"
        return None


def _length(headers: Headers) -> int:
    said = headers.get("content-length", "0")
    return int(said) if said.isascii() and said.isdigit() and len(said) < 20 else MOST_BODY + 1


def _bearer(headers: Headers) -> str:
    kind, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def _cookie(headers: Headers) -> str:
    try:
        found = SimpleCookie("; ".join(headers.getlist("cookie"))).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""


def _bounded(receive: Receive) -> Receive:
    """Return what receives no more of a body than it may have: one may be sent without a length."""
    got = 0

    async def bounded() -> Message:
        nonlocal got
        message = await receive()
        got += len(message.get("body", b""))
        return {"type": "http.disconnect"} if got > MOST_BODY else message

    return bounded
