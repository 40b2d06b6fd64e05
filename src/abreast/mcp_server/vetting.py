"""Passes on the messages that the SDK can read, and answers the others with an error.

The SDK silently drops what it cannot parse (such as half a character in a text), and the client
then waits until its timeout. Here every request gets one answer, whatever is in it.
"""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from abreast.model.text import whole_characters

_PARSE, _INVALID, _PARAMS = -32700, -32600, -32602  # of JSON-RPC 2.0
_DEPTH = 100  # of lists and objects in each other; the SDK's parser ends at about 200
_LARGEST = 2**63
_BATCH = 100
_DIGITS = 4000  # Python reads up to 4300
_ID = re.compile(r'"id"\s*:\s*(-?(?:0|[1-9]\d{0,17})(?![\d.eE])|"[^"\\\x00-\x1f]*")')


@dataclass(frozen=True)
class Vetted:
    """Lines for the SDK, and replies for the client."""

    passed: tuple[str, ...] = ()
    replies: tuple[str, ...] = ()


def vet(line: str) -> Vetted:
    """Return what to do with a line of the client's; an empty line needs nothing."""
    text = line.strip().removeprefix("\ufeff")
    if not text:
        return Vetted()
    try:
        message = json.loads(text, parse_int=_whole)
    except (ValueError, RecursionError):
        return _refused(_number_in(text), _PARSE, "this is not JSON, or nested too deeply")
    if not isinstance(message, list):
        return _vetted(message)
    # A batch, which protocol versions until 2025-03-26 knew: its requests are answered one by one.
    if not 0 < len(message) <= _BATCH:
        return _refused(None, _INVALID, f"a batch holds 1 to {_BATCH} messages")
    each = [_vetted(one) for one in message]
    return Vetted(
        tuple(line for one in each for line in one.passed),
        tuple(line for one in each for line in one.replies),
    )


def _vetted(message: Any) -> Vetted:
    if not isinstance(message, dict):
        return _refused(None, _INVALID, "a message is an object")
    if "method" not in message and ("result" in message or "error" in message):
        return Vetted()  # an answer, and we ask nothing
    asks = "id" in message
    number = message.get("id")
    good = isinstance(number, str) or (type(number) is int and abs(number) < _LARGEST)
    reason = _problem(message, good=good or not asks)
    if not reason:
        return Vetted((_line(message),))
    # Without an id it is a notification, which is never answered, if it is a message at all.
    if not asks and isinstance(message.get("method"), str):
        return Vetted()
    return _refused(number if good else None, *reason)


def _problem(message: dict[str, Any], *, good: bool) -> tuple[int, str] | None:
    """Return the code and the words for what the SDK would stumble over, None when it would not."""
    if message.get("jsonrpc") != "2.0":
        return _INVALID, "`jsonrpc` must be 2.0"
    if not good or "\ufffd" in whole_characters(str(message.get("id"))):
        return _INVALID, "`id` must be a text or a whole number"
    if not isinstance(message.get("method"), str):
        return _INVALID, "`method` must be a text"
    if not isinstance(message.get("params"), dict | None):
        return _PARAMS, "`params` must be an object"
    for value, depth in _leaves(message):
        if depth > _DEPTH or (isinstance(value, float) and not math.isfinite(value)):
            return _INVALID, f"it is nested more than {_DEPTH} deep, or has a number without end"
    return None


def _whole(digits: str) -> int | float:
    return int(digits) if len(digits) < _DIGITS else math.inf


def _number_in(text: str) -> str | int | None:
    """Return the id of a request that cannot be read as a whole, if it has just one."""
    found = _ID.findall(text) if '"method"' in text else []
    return json.loads(found[0]) if len(found) == 1 else None


def _leaves(message: Any) -> Iterator[tuple[Any, int]]:
    """Yield each value with its depth, no deeper than what is too deep."""
    waiting = [(message, 0)]
    while waiting:
        value, depth = waiting.pop()
        yield value, depth
        inner = value.values() if isinstance(value, dict) else value
        if isinstance(value, dict | list) and depth <= _DEPTH:
            waiting += [(one, depth + 1) for one in inner]


def _line(message: Any) -> str:
    return whole_characters(json.dumps(message, ensure_ascii=False, separators=(",", ":"))) + "\n"


def _refused(number: str | int | None, code: int, reason: str) -> Vetted:
    error = {"code": code, "message": reason}
    # In ASCII: half a character in the id comes back as it was.
    return Vetted(replies=(json.dumps({"jsonrpc": "2.0", "id": number, "error": error}) + "\n",))
