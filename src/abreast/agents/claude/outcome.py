"""What a Claude Code process comes to: its answer, its bill, and why it failed."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from abreast.agents.claude.profile import STRUCTURED
from abreast.agents.claude.records_usage import (
    Written,
    advised,
    model_name,
    prompt_tokens,
    reply_name,
    tokens,
)
from abreast.agents.recorded import amount
from abreast.model.cause import Cause
from abreast.model.events import Outcome
from abreast.model.usage import Usage


@dataclass(frozen=True)
class Judgement:
    """How a process ended, why, what kind of failure that is, and what to do about it."""

    outcome: Outcome
    reason: str = ""
    cause: Cause = Cause.NONE
    hint: str | None = None


_LOG_IN = "log in with `claude auth login`, or run `claude` and type /login"
_FIX_KEY = "check ANTHROPIC_API_KEY, or unset it and log in with `claude auth login`"
_ADD_CREDIT = "add credit to this account, or log in with another one: `claude auth login`"
_OTHER_HINTS = {
    "unknown option": "this Claude Code does not know an option that abreast uses: `claude update`",
    "No conversation found": "its transcript is gone; start the task afresh: abreast retry SESSION",
}

_CREDIT = re.compile(r"credit balance|spend limit|out of usage|add funds|billing", re.IGNORECASE)
_WINDOW = re.compile(
    r"(hit|reached) your \S.* limit|usage limit reached|(session|weekly|5-hour) limit",
    re.IGNORECASE,
)
_LOGIN = re.compile(
    r"not logged in|/login|invalid api key|failed to authenticate|oauth token", re.IGNORECASE
)
_OVERLOAD = frozenset({"overloaded", "rate_limit", "server_error"})
_STREAM = re.compile(r"malformed response|connection|timed? ?out|overloaded", re.IGNORECASE)


def classify(result: Mapping[str, Any], error: str, text: str) -> tuple[Cause, str | None]:
    """Return the cause of a failure and a hint.

    `result` is the last result event ({} when there is none), `error` the CLI's word for the API
    error (`authentication_failed`, `billing_error`, `rate_limit`, `server_error`, …), `text` what
    it told the user. Newer versions also state a status and a kind.
    """
    stated, kind = result.get("api_error_status"), str(result.get("api_error") or "")
    status = stated if isinstance(stated, int) else None
    if error == "billing_error" or status == 402 or _CREDIT.search(text):
        return Cause.BILLING, _ADD_CREDIT
    if kind == "usage_limit_reached" or (status in {None, 429} and _WINDOW.search(text)):
        return Cause.SESSION_LIMIT, None
    if error == "authentication_failed" or status == 401 or _LOGIN.search(text):
        return Cause.AUTH, _FIX_KEY if "API key" in text else _LOG_IN
    if _transient(status, kind, error, text):
        return Cause.TRANSIENT, None
    hints = (hint for mark, hint in _OTHER_HINTS.items() if mark in text)
    return Cause.OTHER, next(hints, None)


def _transient(status: int | None, kind: str, error: str, text: str) -> bool:
    if status is not None:
        return status in {408, 409, 429} or status >= 500
    words = {kind, error} & {"connection_failed", "no_response", *_OVERLOAD}
    return bool(words) or (bool(error) and _STREAM.search(text) is not None)


class ClaudeAnswer:
    """Gathers, over one process, what could be the answer."""

    def __init__(self) -> None:
        self._said: list[str] = []  # since the last tool call
        self._tried = (
            ""  # the latest answer that was given by the tool for it, whether taken or not
        )

    def text(self, said: str) -> None:
        self._said.append(said)

    def call(self, tool: str, arguments: Mapping[str, Any]) -> None:
        self._said.clear()
        if tool == STRUCTURED:
            self._tried = _json(arguments)

    def whole(self, result: Mapping[str, Any] | None) -> str:
        """Return all of the answer; `result` is the last result event, if there was one."""
        given = (result or {}).get("structured_output")
        if given is not None:
            return _json(given)
        return "\n".join(said for said in self._said if said.strip()) or self._tried


def wrong_shape(result: Mapping[str, Any]) -> bool:
    """Return whether the process ended because no answer had the shape that was asked for."""
    return result.get("subtype") == "error_max_structured_output_retries"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


class ClaudeBill:
    """Tokens and cost of one process, also when it resumed an earlier session.

    Until a result or the transcript states the true numbers there are only the prompt sides of the
    replies: the output count in the stream is the one of a reply's first chunk.
    """

    def __init__(self) -> None:
        self.settled = False
        self._requests: dict[str, tuple[str, Usage]] = {}  # by `reply_name`: model, prompt side
        self._advised: dict[str, list[tuple[str, Usage]]] = {}  # what replies asked another model
        self._seen: dict[str, Usage] = {}  # the sums of these two, by model
        self._billed: dict[str, Usage] = {}
        self._last = ""  # the id of the latest reply that is not a subagent's

    @property
    def requests(self) -> int:
        return len(self._requests)

    @property
    def start_up(self) -> int | None:
        """The prompt tokens of the first request; None when there was none."""
        return next((usage.input_tokens for _, usage in self._requests.values()), None)

    def count(self, message: Mapping[str, Any], request: Any = None, *, sub: bool = False) -> bool:
        """Count a reply; return whether it is new. It comes once per block, with the same usage.

        `request` is the id of the request, if it is told; `sub` is for a reply to a subagent.
        """
        identity, stated = reply_name(message, request), message.get("usage")
        self._last = self._last if sub else identity
        self._advise(identity, stated)
        if identity in self._requests:
            return False
        prompt, cached, _ = prompt_tokens(stated if isinstance(stated, dict) else {})
        model, usage = model_name(str(message.get("model"))), Usage(prompt, cached, source="stream")
        self._requests[identity] = (model, usage)
        _add(self._seen, model, usage)
        return True

    def _advise(self, identity: str, stated: Any) -> None:
        asked = list(advised(stated)) if isinstance(stated, dict) else []
        if not asked:
            return
        for model, usage in self._advised.get(identity, ()):
            self._seen[model] = self._seen[model].beyond(usage)
        self._advised[identity] = [(model_name(model), _read(one)) for model, one in asked]
        for model, usage in self._advised[identity]:
            _add(self._seen, model, usage)

    def settle(self, result: Mapping[str, Any]) -> None:
        """Take the numbers of a result event."""
        self.settled = True
        # In newer versions (2.1.330) `modelUsage` goes on counting over resumed processes, and
        # this key holds what is new; in older ones `modelUsage` is the total of the process.
        fresh = result.get("model_usage_since_last_result")
        if not isinstance(fresh, dict):
            self._billed = {}
            fresh = result.get("modelUsage")
        for name, numbers in fresh.items() if isinstance(fresh, dict) else ():
            if isinstance(numbers, dict):
                _add(self._billed, model_name(name), _stated(numbers))

    def complete(self, written: Iterable[Written]) -> None:
        """Take the true numbers of a process that stated none from the messages it wrote down.

        Leaves all as it is unless every reply is among them: a part would look like the whole.
        """
        final = _usages(written)
        found = {identity: _find(final, identity) for identity in self._requests}
        if self.settled or None in found.values():
            return
        for identity, numbers in found.items():
            self._requests[identity] = self._requests[identity][0], _read(numbers or {})
            self._advise(identity, numbers)
        self._seen = {}
        for model, usage in (*self._requests.values(), *chain(*self._advised.values())):
            _add(self._seen, model, usage)

    def context(self, written: Iterable[Written]) -> int | None:
        """Return the prompt and output tokens of the last request, from the messages written down.

        None when it is not among them: no other record has its output tokens.
        """
        stated = _find(_usages(written), self._last) if self._last else None
        if stated is None:
            return None
        return prompt_tokens(stated)[0] + tokens(stated.get("output_tokens"))

    def by_model(self) -> dict[str, Usage]:
        return dict(self._billed if self.settled else self._seen)

    def total(self) -> Usage:
        parts = list(self.by_model().values())
        if not parts:
            return Usage(0, 0, 0, 0.0, "stream") if self.settled else Usage()
        total = parts[0]
        for part in parts[1:]:
            total += part
        return total


def _usages(written: Iterable[Written]) -> dict[str, dict[str, Any]]:
    """Return the last usage on record of each reply, also by its id without that of its request."""
    final: dict[str, dict[str, Any]] = {}
    for name, message in written:
        if isinstance(numbers := message.get("usage"), dict):
            final[name] = final[_answer(name)] = numbers
    return final


def _find(final: Mapping[str, dict[str, Any]], name: str) -> dict[str, Any] | None:
    """Look for a reply; a version may name the request in its stream only, or in its record."""
    return final.get(name) or final.get(_answer(name))


def _answer(name: str) -> str:
    return name.partition(" ")[0]


def _read(numbers: Mapping[str, Any]) -> Usage:
    prompt, cached, _ = prompt_tokens(numbers)
    return Usage(prompt, cached, tokens(numbers.get("output_tokens")), None, "transcript")


_RESULT_KEYS = ("inputTokens", "cacheReadInputTokens", "cacheCreationInputTokens")


def _stated(numbers: dict[str, Any]) -> Usage:
    prompt = [tokens(numbers.get(key)) for key in _RESULT_KEYS]
    said, cost = tokens(numbers.get("outputTokens")), amount(numbers.get("costUSD"))
    return Usage(sum(prompt), prompt[1], said, cost, "stream")


def _add(bill: dict[str, Usage], model: str, usage: Usage) -> None:
    bill[model] = bill[model] + usage if model in bill else usage
