"""A model server on this machine: real CLIs talk to it, scenarios answer, nothing is spent.

It listens on 127.0.0.1 only. Used as a client's HTTP proxy it is also a trap: whatever wants to
reach another host is recorded and refused.
"""

import json
import threading
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from abreast.loopback.anthropic import DIALECT as ANTHROPIC
from abreast.loopback.dialect import (
    EGRESS,
    Answer,
    Dialect,
    RecordedRequest,
    Request,
    TimedReply,
    choose,
    filled,
    redact_headers,
    redact_query,
    turn_at,
    unmatched,
)
from abreast.loopback.gemini import DIALECT as GEMINI
from abreast.loopback.openai import DIALECT as OPENAI
from abreast.loopback.wire import RequestHandler, Server
from abreast.model.economy import count_tokens
from abreast.model.moves import Drop, HttpError, Scenario, Spend
from abreast.process import clock

DIALECTS: tuple[Dialect, ...] = (ANTHROPIC, OPENAI, GEMINI)


class Loopback:
    """The server, listening from the moment it is made until `close`.

    `dialects` defaults to all; `record_to` names a file that gets each request as a line of JSON;
    `port` 0 takes a free one. When `measured`, a reply for which the scenario states no usage
    states the size of its request, in tokens as estimated. Use it as a context manager, so that
    nothing outlives the block.
    """

    def __init__(
        self,
        scenarios: Sequence[Scenario] = (),
        *,
        dialects: Sequence[Dialect] = DIALECTS,
        record_to: Path | None = None,
        port: int = 0,
        measured: bool = False,
    ) -> None:
        self._scenarios = list(scenarios)
        self._dialects = tuple(dialects)
        self._record_to = record_to
        self._measured = measured
        self._requests: list[RecordedRequest] = []
        self._reached: Counter[tuple[str, int, str]] = Counter()
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._server = Server(port, self._respond)
        self._server.start()

    @property
    def url(self) -> str:
        """`http://127.0.0.1:<port>`, without a slash at the end."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def fence(self) -> dict[str, str]:
        """Variables that send a client here for every other host as well, where it is refused.

        They take the place of the user's own proxy, which would be asked for 127.0.0.1 too.
        """
        proxies = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
        fence = dict.fromkeys(proxies, self.url) | {"NO_PROXY": "127.0.0.1"}
        return fence | {name.lower(): value for name, value in fence.items()}

    @property
    def requests(self) -> list[RecordedRequest]:
        """Every request so far, in the order of arrival."""
        with self._lock:
            return list(self._requests)

    @property
    def egress(self) -> list[str]:
        """Every other host, as `host:port`, that a client wanted to reach; each once."""
        return list(dict.fromkeys(r.path for r in self.requests if r.dialect == EGRESS))

    def add(self, scenario: Scenario) -> None:
        """Play `scenario` too, from the next request on; one of the same name is replaced."""
        with self._lock:
            self._scenarios = [s for s in self._scenarios if s.name != scenario.name]
            self._scenarios.append(scenario)

    def close(self) -> None:
        """Cut every connection, end every thread and free the port. May be called again."""
        self._closing.set()
        self._server.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _respond(self, link: RequestHandler) -> None:
        """Answer one request. Runs in the thread of its connection."""
        if link.foreign:
            self._record(link, {}, EGRESS)
            link.answer(Answer(403, body=b'{"error": "no way out of here"}'), close=True)
            return
        body = _parse(link.content)
        headers = {name.lower(): value for name, value in link.headers.items()}
        request = Request(link.command, link.target, link.query, headers, body or {})
        dialect = next((d for d in self._dialects if d.recognises(request)), None)
        if dialect is None:
            self._record(link, request.body, "")
            link.answer(Answer(404, body=b'{"error": "no model server knows this path"}'))
        elif aside := dialect.aside(request):
            self._record(link, request.body, dialect.name)
            link.answer(aside)
        elif request.method != "POST" or body is None:
            self._record(link, request.body, dialect.name)
            status, why = (405, "not this method") if body is not None else (400, "not JSON")
            link.answer(dialect.error(status, why, ""), close=True)
        else:
            self._play(link, request, dialect)

    def _play(self, link: RequestHandler, request: Request, dialect: Dialect) -> None:
        turn = self._next_turn(link, request, dialect)
        if self._closing.wait(turn.delay):
            link.cut()
        elif isinstance(turn.fault, HttpError):
            fault = turn.fault
            link.answer(dialect.error(fault.status, fault.message, fault.code), close=True)
        else:
            self._stream(link, dialect, request, turn)

    def _next_turn(self, link: RequestHandler, request: Request, dialect: Dialect) -> TimedReply:
        model = str(request.body.get("model") or "scripted")
        with self._lock:
            scenarios = self._scenarios
        conversation = dialect.conversation(request)
        choice = choose(scenarios, conversation)
        if choice is None:
            self._record(link, request.body, dialect.name)
            return unmatched(model=model)
        scenario, step = choice
        with self._lock:
            point = (scenario.name, step, _client(request.headers))
            attempt = self._reached[point]
            self._reached[point] += 1
        self._record(link, request.body, dialect.name, scenario.name, step)
        spend = Spend(count_tokens(json.dumps(request.body))) if self._measured else None
        turn = turn_at(scenario, step, attempt, model=model, spend=spend)
        return filled(turn, conversation)

    def _stream(
        self, link: RequestHandler, dialect: Dialect, request: Request, turn: TimedReply
    ) -> None:
        chunks = list(dialect.stream(request, turn.reply))
        link.open_stream(f"req_{uuid.uuid4().hex[:20]}")
        if turn.stall and self._closing.wait(turn.stall):
            link.cut()
            return
        dropped = isinstance(turn.fault, Drop)
        for chunk in chunks[: max(1, len(chunks) // 2)] if dropped else chunks:
            link.write_chunk(chunk)
        if dropped:
            link.cut()
        else:
            link.close_stream()

    def _record(
        self,
        link: RequestHandler,
        body: Mapping[str, Any],
        dialect: str,
        scenario: str = "",
        step: int | None = None,
    ) -> None:
        """Record a request before it is answered, so that its client finds it recorded."""
        with self._lock:
            recorded = RecordedRequest(
                number=len(self._requests) + 1,
                at=clock.wall(),
                method=link.command,
                path=link.foreign or link.target,
                query=redact_query(link.query),
                headers=redact_headers(dict(link.headers.items())),
                body=body,
                dialect=dialect,
                scenario=scenario,
                step=step,
            )
            self._requests.append(recorded)
            if self._record_to is not None:
                with self._record_to.open("a", encoding="utf-8") as file:
                    file.write(recorded.dump() + "\n")


def _parse(content: bytes) -> dict[str, Any] | None:
    """Return the JSON object in `content`, {} when there is no content, None when it is not one."""
    if not content:
        return {}
    try:
        value = json.loads(content)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _client(headers: Mapping[str, str]) -> str:
    """Return what tells one client's session from another's, where a header does."""
    return next((headers[name] for name in sorted(headers) if "session" in name), "")
