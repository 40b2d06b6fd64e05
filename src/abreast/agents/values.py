"""What stands in a record of a CLI, by the type that it should have: any JSON may stand there."""

from collections.abc import Mapping
from math import isfinite
from typing import Any

MOST = 2**53
"""Beyond it JavaScript itself cannot count; no session has as many tokens."""


def text(value: Any) -> str:
    """Return the text that a value is, "" if it is not one."""
    return value if isinstance(value, str) else ""


def mapping(value: Any) -> Mapping[str, Any]:
    """Return the object that a value is, {} if it is not one."""
    return value if isinstance(value, Mapping) else {}


def listed(value: Any) -> list[Any]:
    """Return the list that a value is, [] if it is not one."""
    return value if isinstance(value, list) else []


def at(value: Any, *keys: str) -> Any:
    """Return what stands at `keys`, each in the object before; None when nothing does."""
    for key in keys:
        value = mapping(value).get(key)
    return value


def count(value: Any) -> int | None:
    """Return the number of something, None if it is not one."""
    return value if type(value) is int and 0 <= value < MOST else None


def amount(value: Any) -> float | None:
    """Return an amount of money, None if it is not one."""
    plain = type(value) in {int, float} and 0 <= value < MOST
    return float(value) if plain and isfinite(value) else None
