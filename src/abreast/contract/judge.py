"""Validates a child's answer against its contract."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from abreast.contract.collect import find_answer
from abreast.contract.render import Items, items_of
from abreast.contract.shapes import schema_of
from abreast.contract.validate import problems
from abreast.model.contract import Contract

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
    """Return the child's answer as valid value and items, or its problems."""
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
