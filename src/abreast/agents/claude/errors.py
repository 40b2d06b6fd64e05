"""Why a Claude Code session failed: its API errors, sorted by what to do next."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from abreast.model.events import Cause, Outcome


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
    "No conversation found": "its transcript is gone; start the task afresh with `abreast retry`",
}

_CREDIT = re.compile(r"credit balance|spend limit|out of usage credits|billing", re.IGNORECASE)
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
