"""Finds a child's answer in its last message and validates it against its contract."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from abreast.contract.render import Items, items_of
from abreast.contract.shapes import schema_of
from abreast.contract.validate import problems
from abreast.model.task import Contract

_MOST_TRIES = 1000  # each costs time in proportion to the text, which may be hostile
_FENCED = re.compile(r"```(?:json)?[^\S\n]*\n(.*?)```", re.DOTALL)


def find_answer(text: str) -> Any | None:
    """Return the JSON object that `text` is or holds, or None when there is none.

    The whole text is tried first, then its code blocks, then the last object in it that stands on
    its own: a child may put words around an answer although it was told not to.
    """
    for candidate in (text, *reversed(_FENCED.findall(text))):
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


_DEEPEST = 50  # levels: whoever handles an answer may go down a call for each
_HALF = re.compile("[\\ud800-\\udfff]")  # of a surrogate pair: no file, database or client takes it


@dataclass(frozen=True)
class Judged:
    """An answer: its value and items if it is valid, otherwise its problems.

    The items of an invalid answer are the lines of its text.
    """

    items: Items
    value: Mapping[str, Any] | None = None
    problems: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether nothing came back at all."""
        return not self.items


def judge(said: str, contract: Contract) -> Judged:
    """Return the child's answer, parsed and validated, or its problems."""
    said = _HALF.sub("\ufffd", said)
    lines = tuple(said.strip().split("\n")) if said.strip() else ()
    value = find_answer(said)
    if value is None:
        what = "there is no JSON object in your last message" if lines else "you gave no answer"
        return Judged(lines, problems=(what,))
    if _depth(value) > _DEEPEST:
        return Judged(lines, problems=(f"it is nested more than {_DEEPEST} levels deep",))
    value = _mended(value)
    wrong = problems(value, schema_of(contract.returns))
    if wrong:
        return Judged(lines, problems=tuple(wrong))
    return Judged(items_of(value, contract.returns), value)


def _depth(value: Any) -> int:
    """Return how deep a value is nested, counted up to a level beyond the deepest allowed."""
    level, depth = [value], 0
    while level and depth <= _DEEPEST:
        inside = [part.values() if isinstance(part, dict) else part for part in level]
        level = [one for part in inside for one in part if isinstance(one, dict | list)]
        depth += 1
    return depth


def _mended(value: Any) -> Any:
    """Return `value` without halves of surrogate pairs, which may come as escapes within JSON."""
    text = json.dumps(value, ensure_ascii=False)
    return json.loads(_HALF.sub("\ufffd", text)) if _HALF.search(text) else value


def asks(said: str) -> str:
    """Return the question that a message ends in, or ""."""
    last = said.strip().rpartition("\n")[2].strip()
    return last if last.endswith("?") else ""
