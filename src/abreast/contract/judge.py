"""A child's answer held against its contract."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from abreast.contract.collect import find_answer
from abreast.contract.render import Items, items_of
from abreast.contract.shapes import schema_of
from abreast.contract.validate import problems
from abreast.model.contract import Contract


@dataclass(frozen=True)
class Judged:
    """An answer: its value and items when it is as asked for, else what is wrong with it.

    The items of a wrong answer are the lines of what was said.
    """

    items: Items
    value: Mapping[str, Any] | None = None
    problems: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether nothing came back at all."""
        return not self.items


def judge(said: str, contract: Contract) -> Judged:
    """Judge what a child gave as its answer, whatever its CLI made of it."""
    lines = tuple(said.strip().split("\n")) if said.strip() else ()
    value = find_answer(said)
    if value is None:
        what = "there is no JSON object in your last message" if lines else "you gave no answer"
        return Judged(lines, problems=(what,))
    wrong = problems(value, schema_of(contract.returns))
    if wrong:
        return Judged(lines, problems=tuple(wrong))
    return Judged(items_of(value, contract.returns), value)


def asks(said: str) -> str:
    """Return the question that a message ends in, or ""."""
    last = said.strip().rpartition("\n")[2].strip()
    return last if last.endswith("?") else ""
