"""Finds the answer in a child's last message, for CLIs without structured output."""

import json
import math
import re
from collections.abc import Iterator
from typing import Any, NoReturn

_MOST_TRIES = 1000  # each costs time in proportion to the text, which may be hostile
_FENCED = re.compile(r"```(?:json)?[^\S\n]*\n(.*?)```", re.DOTALL)


def find_answer(text: str) -> Any | None:
    """Return the JSON object that `text` is or holds, or None when there is none.

    The whole text is tried first, then its code blocks, then the last object in it that stands on
    its own: a child may put words around an answer although it was told not to.
    """
    for candidate in _candidates(text):
        try:
            value = json.loads(candidate, parse_constant=_refuse, parse_float=_finite)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            return value
    return _last_object(text)


def _refuse(word: str) -> NoReturn:
    """Refuse NaN and Infinity, which Python reads, and no other reader of JSON does."""
    raise ValueError(f"{word} is not JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    return number if math.isfinite(number) else _refuse(digits)


def _candidates(text: str) -> Iterator[str]:
    yield text
    yield from reversed(_FENCED.findall(text))


def _last_object(text: str) -> dict[str, Any] | None:
    decoder = json.JSONDecoder(parse_constant=_refuse, parse_float=_finite)
    found, at = None, text.find("{")
    for _ in range(_MOST_TRIES):
        if at < 0:
            break
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            at = text.find("{", at + 1)
            continue
        found = value if isinstance(value, dict) else found
        at = text.find("{", end)
    return found
