"""Renders a deliverable as text items that can be counted, cut between and joined again."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from abreast.contract.shapes import NOTHING, VALUE, Schema

Items = tuple[str, ...]


def items_of(value: Mapping[str, Any], returns: str | Schema) -> Items:
    """Return a valid answer of this shape as items; joined by line breaks they are the whole text.

    Lists give one item an entry, texts one a line, objects of a caller's own shape one a property.
    """
    if not isinstance(returns, str):
        own = value[VALUE] if set(value) == {VALUE} else value
        return _own(own)
    if value.get(NOTHING):
        return (f"Nothing found: {value[NOTHING]}",)
    return _PRESETS[returns](value)


def _own(value: Any) -> Items:
    if isinstance(value, Mapping):
        return tuple(f"{key}: {_inline(part)}" for key, part in value.items())
    return _entries(value) if isinstance(value, list) else _text(value)


def _text(text: Any) -> Items:
    return tuple(text.split("\n")) if isinstance(text, str) else (_inline(text),)


def _entries(entries: list[Any]) -> Items:
    return tuple(f"- {_inline(entry)}" for entry in entries)


def _row(cells: list[Any]) -> str:
    return " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in cells)


def _finding(found: Mapping[str, Any]) -> str:
    head = f"- [{found['severity']}] {found['title']} ({found['where']})"
    return f"{head}: {_inline(found['detail'])}"


_PRESETS: dict[str, Callable[[Mapping[str, Any]], Items]] = {
    "text": lambda value: _text(value["text"]),
    "bullets": lambda value: _entries(value["bullets"]),
    "paths": lambda value: tuple(value["paths"]),
    "table": lambda value: (_row(value["columns"]), *map(_row, value["rows"])),
    "yes-no": lambda value: (f"{value['answer']}: {value['why']}",),
    "findings": lambda value: tuple(map(_finding, value["findings"])),
}


def _inline(value: Any) -> str:
    if isinstance(value, str):
        return value.replace("\n", "\n  ")
    return json.dumps(value, ensure_ascii=False)
