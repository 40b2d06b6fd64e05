"""Records of the CLIs with any JSON value in the place of any other."""

import copy
from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

VALUES: tuple[Any, ...] = (None, True, 2**70, "x", [], [{}], {"x": []})
"""One of every type of JSON, and of what lists and objects hold."""


def mutations(record: Any) -> Iterator[Any]:
    """Yield the record with each of its values, however deep, replaced by each of `VALUES`."""
    for path in _paths(record):
        for value in VALUES:
            yield _replaced(record, path, value)


def distinct(records: Iterable[Any]) -> Iterator[Any]:
    """Yield one record of each shape: the same keys and types throughout, whatever the values."""
    seen = set()
    for record in records:
        if (shape := _shape(record)) not in seen:
            seen.add(shape)
            yield record


def misfits(event: Any) -> list[str]:
    """Return the fields of a value whose types are not those that they are declared with."""
    told = ((name, getattr(event, name), hint) for name, hint in _hints(type(event)))
    return [f"{name}={value!r}" for name, value, hint in told if not _fits(value, hint)]


@cache
def _hints(kind: type) -> list[tuple[str, Any]]:
    names = getattr(kind, "_fields", None) or [one.name for one in fields(kind)]
    hints = get_type_hints(kind)
    return [(name, hints[name]) for name in names]


def _fits(value: Any, hint: Any) -> bool:
    origin, inner = get_origin(hint), get_args(hint)
    if origin in {Union, UnionType}:
        fits = any(_fits(value, one) for one in inner)
    elif origin is tuple:
        several = inner[:1] * len(value) if inner[-1:] == (...,) else inner
        fits = isinstance(value, tuple) and all(map(_fits, value, several))
    elif origin is dict:
        fits = all(_fits(k, inner[0]) and _fits(v, inner[1]) for k, v in value.items())
    elif is_dataclass(hint):
        fits = isinstance(value, hint) and not misfits(value)
    elif hint is float:
        fits = type(value) in {int, float}
    elif hint is int:
        fits = type(value) is int and -(2**53) < value < 2**53
    else:
        fits = isinstance(value, hint or type(None))
    return fits


def _paths(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield above
    several = value if isinstance(value, dict | list) else ()
    for key, one in several.items() if isinstance(several, dict) else enumerate(several):
        yield from _paths(one, (*above, key))


def _replaced(record: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return copy.deepcopy(value)
    changed = copy.copy(record)
    changed[path[0]] = _replaced(record[path[0]], path[1:], value)
    return changed


def _shape(value: Any) -> Any:
    if isinstance(value, dict):
        told = value.get("type"), value.get("subtype"), value.get("status"), value.get("name")
        said = tuple(one if isinstance(one, str) else None for one in told)
        return said, tuple((key, _shape(one)) for key, one in value.items())
    if isinstance(value, list):
        return tuple(dict.fromkeys(map(_shape, value)))
    return type(value).__name__
