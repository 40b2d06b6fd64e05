"""The seam between the loopback server and wire formats, and what to send next in a conversation.

What to send next is pure: values in, values out, so that a scenario always plays alike.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Protocol

from abreast.model.moves import (
    Call,
    Drop,
    Edit,
    Fail,
    Hang,
    HttpError,
    Move,
    Read,
    Say,
    Scenario,
    Shell,
    Sleep,
    Spend,
    Write,
)


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


# The next thing to send in a conversation: pure, so that a scenario always plays alike.
#
# A scenario's moves fall into steps. A step is one model reply: it ends with the first tool call,
# and the last step, which calls no tool, ends the turn. The conversation itself tells which step
# is next, so the server keeps no state per client; only faults that happen a limited number of
# times need the count of how often their step was reached.

DONE = "Done."
UNMATCHED = "No scenario matches this prompt."
_TOOLS = (Write, Edit, Read, Shell, Call)


@dataclass(frozen=True)
class TimedReply:
    """What to send: after `delay` seconds the head, after `stall` more the reply.

    With a `fault`, the reply fails in that way instead.
    """

    reply: Reply
    delay: float = 0.0
    stall: float = 0.0
    fault: HttpError | Drop | None = None


def choose(
    scenarios: Sequence[Scenario], conversation: Sequence[Message]
) -> tuple[Scenario, int] | None:
    """Return the scenario that the newest matching prompt asks for, and its next step.

    The longest key wins; of two alike, the scenario added last.
    """
    results = 0
    for message in reversed(conversation):
        if message.role == "result":
            results += 1
        elif message.role == "user":
            fits = [s for s in reversed(scenarios) if s.key in message.text]
            if fits:
                return max(fits, key=lambda s: len(s.key)), results
    return None


def turn_at(
    scenario: Scenario,
    step: int,
    attempt: int = 0,
    *,
    model: str = "scripted",
    spend: Spend | None = None,
) -> TimedReply:
    """Return the turn at `step`, reached for the `attempt`-th time (from 0).

    A step beyond the end is the last one again. `spend` is stated where the scenario says nothing.
    """
    steps = _steps(scenario.moves)
    moves = steps[min(step, len(steps) - 1)]
    call = moves[-1] if moves and isinstance(moves[-1], _TOOLS) else None
    text = "\n\n".join(m.text for m in moves if isinstance(m, Say))
    spends = [m for m in moves if isinstance(m, Spend)]
    return TimedReply(
        Reply(
            text=text if text or call else DONE,
            call=call,
            spend=spends[-1] if spends else spend or Spend(),
            number=step,
            model=model,
        ),
        delay=sum(m.seconds for m in moves if isinstance(m, Sleep)),
        stall=sum(m.seconds for m in moves if isinstance(m, Hang)),
        fault=_fault(moves, attempt),
    )


def filled(turn: TimedReply, conversation: Sequence[Message]) -> TimedReply:
    """Return the turn with `$ID` in a call's arguments replaced by what was last named so.

    That is the newest `id="…"` or `"agent_id": "…"` in a result: what a tool has told the model to
    call it by.
    """
    call = turn.reply.call
    if not isinstance(call, Call):
        return turn
    results = (message.text for message in conversation if message.role == "result")
    told = [one or other for text in results for one, other in _NAMED.findall(text)]
    text = json.dumps(dict(call.arguments)).replace("$ID", told[-1] if told else "$ID")
    return replace(turn, reply=replace(turn.reply, call=replace(call, arguments=json.loads(text))))


_NAMED = re.compile(r'\bid=\\?"([^"\\]+)|"agent_id\\?":\s*\\?"([^"\\]+)')


def unmatched(*, model: str = "scripted") -> TimedReply:
    """Return the turn for a prompt that no scenario knows: it ends the session at once."""
    return TimedReply(Reply(text=UNMATCHED, model=model))


def _steps(moves: Sequence[Move]) -> list[list[Move]]:
    steps: list[list[Move]] = [[]]
    for move in moves:
        steps[-1].append(move)
        if isinstance(move, _TOOLS):
            steps.append([])
    return steps


def _fault(moves: Sequence[Move], attempt: int) -> HttpError | Drop | None:
    """Return the fault of this attempt: each takes `times` of them; one without a limit, all."""
    left = attempt
    for move in moves:
        if isinstance(move, Fail):
            return HttpError(400, move.message)
        if isinstance(move, HttpError | Drop):
            if move.times == 0 or left < move.times:
                return move
            left -= move.times
    return None


REDACTED = "<redacted>"
EGRESS = "egress"
_SECRET_HEADERS = frozenset(
    {"authorization", "proxy-authorization", "x-api-key", "x-goog-api-key", "cookie"}
)
_SECRET_QUERY = re.compile(r"(?i)\b((?:api_?)?key|(?:access_)?token)=[^&]*")


@dataclass(frozen=True)
class RecordedRequest:
    """One request: when it came (Unix seconds), what it said, and which reply it was given.

    `dialect` is empty when no dialect knows the path, and "egress" when the client wanted another
    host, which `path` then names. `scenario` is empty and `step` None when no scenario answered.
    """

    number: int
    at: float
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]
    dialect: str = ""
    scenario: str = ""
    step: int | None = None

    def dump(self) -> str:
        """Return the request as one line of JSON."""
        return json.dumps(asdict(self))


def redact_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers with lower-case names; of a secret only its presence is left."""
    return {
        name.lower(): REDACTED if name.lower() in _SECRET_HEADERS else value
        for name, value in headers.items()
    }


def redact_query(query: str) -> str:
    """Return the query with the values of keys and tokens replaced."""
    return _SECRET_QUERY.sub(rf"\1={REDACTED}", query)
