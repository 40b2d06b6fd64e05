"""The seam between the loopback server and the wire formats it speaks."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from abreast.model.moves import Move, Spend


@dataclass(frozen=True)
class Request:
    """One HTTP request as a CLI sent it. `body` is the parsed JSON, or {} when there is none."""

    method: str
    path: str  # without the query
    query: str
    headers: Mapping[str, str]  # lower-case names, as received
    body: Mapping[str, Any]


@dataclass(frozen=True)
class Message:
    """One piece of a conversation: what a `user` said, or the `result` of one tool call."""

    role: str  # user | result | assistant
    text: str


@dataclass(frozen=True)
class Reply:
    """One model reply to render: optional text, then at most one tool call.

    `call` is the move to be done by the CLI's own tool; None ends the turn. `number` counts the
    replies of this scenario from 0 and makes ids unique and repeatable.
    """

    text: str = ""
    call: Move | None = None
    spend: Spend = field(default_factory=Spend)
    number: int = 0
    model: str = "scripted"


@dataclass(frozen=True)
class Answer:
    """A whole HTTP answer, or the head of a streamed one."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


def json_answer(status: int, body: Mapping[str, Any]) -> Answer:
    """Return a whole answer with a JSON body."""
    return Answer(status, {"content-type": "application/json"}, json.dumps(body).encode())


class Dialect(Protocol):
    """One vendor's wire format."""

    name: str

    def recognises(self, request: Request) -> bool:
        """Return whether this path is one of this dialect's."""
        ...

    def aside(self, request: Request) -> Answer | None:
        """Answer a request that is no model turn (token counting, model lists, `HEAD /`)."""
        ...

    def conversation(self, request: Request) -> list[Message]:
        """Return the conversation so far, oldest first."""
        ...

    def stream(self, request: Request, reply: Reply) -> Iterator[bytes]:
        """Render a reply as the chunks of a server-sent event stream.

        There are at least two chunks, so that a stream can be dropped in the middle.
        """
        ...

    def error(self, status: int, message: str, code: str) -> Answer:
        """Render an API error as this vendor does. `code`: "", rate, quota or overloaded."""
        ...
