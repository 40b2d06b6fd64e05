"""The routes of the page."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import quote

from sse_starlette import EventSourceResponse
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from abreast import api
from abreast.errors import AbreastError, NotFoundError
from abreast.faces.diffs import read_diff
from abreast.page import acting
from abreast.page.diff_page import page_diff
from abreast.page.guard import COOKIE, Address, Guard
from abreast.page.keys import Keys
from abreast.page.live import LiveView, Streams, patches
from abreast.page.rendering import TEMPLATES, page, session_path
from abreast.page.views.board import BoardView
from abreast.page.views.run import RunView
from abreast.page.views.session import SessionView
from abreast.places import Places

_EVENTS = 2_000  # of a log's page, the newest


class PageServer:
    """What the handlers need: whose state it shows, and who may see it."""

    def __init__(self, places: Places, address: Address, keys: Keys, *, read_only: bool) -> None:
        self.places, self.address, self.keys = places, address, keys
        self.read_only = read_only
        self.streams = Streams()

    def app(self) -> ASGIApp:
        """Return the server, with its guard around it."""
        static = StaticFiles(directory=TEMPLATES.with_name("static"))
        session = "/session/{run}/{task}"
        routes = [
            Route("/", self.board),
            Route("/enter", self.enter),
            Route("/link", self.link, methods=["POST"]),
            Route("/events", self.events),
            Route("/run/{run}", self.run),
            Route(session, self.session),
            Route(f"{session}/log", self.log),
            Route(f"{session}/diff", self.diff),
            Route(f"{session}/answer", self.answer, methods=["POST"]),
            Route(f"{session}/do/{{kind}}", self.confirm),
            Route(f"{session}/do/{{kind}}", self.act, methods=["POST"]),
            Mount("/static", static),
        ]
        handlers: dict[Any, Callable[..., Response]] = {
            AbreastError: _explained,
            HTTPException: _explained,
            ValueError: _explained,
        }
        app = Starlette(routes=routes, exception_handlers=handlers)
        return Guard(app, address=self.address, keys=self.keys, read_only=self.read_only)

    def enter(self, request: Request) -> Response:
        """Give the cookie to whoever has a link that nobody has opened."""
        if not self.keys.opened(request.query_params.get("key", "")):
            text = "A link opens once, within ten minutes of when it was made."
            hint = "abreast serve --open makes a new one"
            return page(
                "message.html",
                status=401,
                title="This link opens nothing",
                text=text,
                hint=hint,
                back="",
            )
        # No redirect: to a page that something else has opened, browsers would not send the cookie.
        found = page("enter.html")
        found.set_cookie(COOKIE, self.keys.cookie, httponly=True, samesite="strict", path="/")
        return found

    def link(self, _: Request) -> Response:
        """Return a new link, for a second `abreast serve`."""
        return PlainTextResponse(f"{self.address.url}/enter?key={self.keys.link()}\n")

    async def events(self, request: Request) -> Response:
        """Stream what changes in the page whose path is given."""
        view = self._view(request.query_params.get("of", "/"), request.query_params.get("q", ""))
        if not self.streams.take():
            raise HTTPException(503, "too many pages of abreast are open")
        return _Stream(_as_events(patches(view, self.places)), ping=15, left=self.streams.leave)

    def board(self, request: Request) -> Response:
        words = request.query_params.get("q", "")[:500]
        return self._live("/", "Board", BoardView(words), api.snapshot(places=self.places), words)

    def run(self, request: Request) -> Response:
        run = api.find_run(request.path_params["run"], places=self.places)
        path = f"/run/{run.id}"
        seen = api.snapshot(run.id, places=self.places)
        return self._live(path, f"Run {run.id}", RunView(run.id), seen)

    def session(self, request: Request) -> Response:
        name = self._session(request)
        seen = api.snapshot(name.partition("/")[0], places=self.places)
        view = SessionView(name, self.places, read_only=self.read_only)
        return self._live(session_path(name), name, view, seen)

    def log(self, request: Request) -> Response:
        name = self._session(request)
        events = [*api.logs(name, places=self.places)]
        rest = len(events) - _EVENTS
        more = f"{rest:,} older ones: abreast logs {name}" if rest > 0 else ""
        return page("log.html", session=name, events=events[-_EVENTS:], more=more)

    def diff(self, request: Request) -> Response:
        name = self._session(request)
        against = "target" if request.query_params.get("against") == "target" else "base"
        text = api.diff(name, as_merged=against == "target", places=self.places)
        files, left = page_diff(read_diff(text))
        cut = f"{left:,} more lines: abreast diff {name}" if left else ""
        return page("diff.html", session=name, files=files, against=against, cut=cut)

    def confirm(self, request: Request) -> Response:
        """Show what an action will do, and ask."""
        name = self._session(request)
        action = acting.offered(name, request.path_params["kind"], self.places)
        shown = api.show(name, places=self.places) if action.kind == "land" else None
        return page("confirm.html", action=action, shown=shown)

    async def act(self, request: Request) -> Response:
        """Do it, and go back to the session's page."""
        form = await request.form(max_files=0, max_fields=20)
        words = str(form.get("words", ""))

        def do() -> str:
            name = self._session(request)
            action = acting.offered(name, request.path_params["kind"], self.places)
            api.act(action, words, places=self.places)
            return name

        return RedirectResponse(session_path(await asyncio.to_thread(do)), status_code=303)

    async def answer(self, request: Request) -> Response:
        """Answer a question of the session, and go back to its page."""
        form = await request.form(max_files=0, max_fields=200)
        choices = [int(str(one)) for one in form.getlist("choice")]
        question, decision = str(form.get("question", "")), str(form.get("decision", ""))
        words = "" if choices else str(form.get("words", ""))

        def do() -> str:
            name = self._session(request)
            if question.partition("#")[0] != name:
                raise NotFoundError(f"{name} does not ask that", hint="reload its page")
            acting.answer(question, decision, choices, words, self.places)
            return name

        return RedirectResponse(session_path(await asyncio.to_thread(do)), status_code=303)

    def _session(self, request: Request) -> str:
        name = f"{request.path_params['run']}/{request.path_params['task']}"
        return api.find_session(name, places=self.places).id

    def _view(self, path: str, words: str) -> LiveView:
        """Return what shows the page of a path; raises NotFoundError for what does not change."""
        kind, _, name = path.strip("/").partition("/")
        if not kind:
            return BoardView(words[:500])
        if kind == "run":
            return RunView(api.find_run(name, places=self.places).id)
        if kind == "session":
            found = api.find_session(name, places=self.places).id
            return SessionView(found, self.places, read_only=self.read_only)
        raise NotFoundError(f"{path} does not change", hint="reload it")

    def _live(
        self, path: str, title: str, view: LiveView, seen: Any, words: str | None = None
    ) -> Response:
        query = f"/events?of={quote(path)}" + (f"&q={quote(words)}" if words else "")
        parts = view.parts(seen)
        return page(
            "live.html",
            here=path,
            path=path,
            title=title,
            quiet=path == "/",
            parts=parts,
            events=query,
            filter=words,
        )


class _Stream(EventSourceResponse):
    """A response that calls `left` when it has ended, however: one that broke holds no place."""

    def __init__(
        self, content: AsyncIterator[dict[str, str]], *, ping: int, left: Callable[[], None]
    ) -> None:
        super().__init__(content, ping=ping)
        self._left = left

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._left()


async def _as_events(found: AsyncIterator[str]) -> AsyncIterator[dict[str, str]]:
    async for patch in found:
        yield {"data": patch}


def _explained(_: Request, error: Exception) -> Response:
    status, text, hint = 500, str(error), ""
    if isinstance(error, HTTPException):
        status, text = error.status_code, str(error.detail)
    elif isinstance(error, AbreastError):
        status = 404 if isinstance(error, NotFoundError) else 409
        text, hint = error.message, error.hint or ""
    else:
        status, text = 400, "that is no value of this form"
    title = "There is nothing here" if status == 404 else "That did not work"
    return page("message.html", status=status, title=title, text=text, hint=hint, back="/")
