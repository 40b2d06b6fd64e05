"""Add an item to a list in a JSON file, or take it out; every other character stays as it is."""

import json
from collections.abc import Sequence
from typing import Any

from abreast.engine.client.connect import json_text
from abreast.engine.client.connect.edits import TextEdit
from abreast.engine.client.connect.json_text import Node


def items(text: str, keys: Sequence[str]) -> list[Any]:
    """Return the list at `keys`, [] when there is none. Raises ValueError when it is not a list."""
    return [node.plain for node in _nodes(text, keys)]


def add(text: str, keys: Sequence[str], value: Any) -> list[TextEdit]:
    """Return the edits that make `value` the first item of the list at `keys`."""
    found = _nodes(text, keys)
    if not found:
        return json_text.put(text, keys, [value])
    first, line = found[0], text.rfind("\n", 0, found[0].start) + 1
    before = text[line : first.start]
    if before.strip():  # it does not begin its line
        return [TextEdit(first.start, "", json.dumps(value, ensure_ascii=False) + ", ")]
    newline = "\r\n" if "\r\n" in text else "\n"
    body = json_text.render_at(text, first.start, value)
    return [TextEdit(first.start, "", f"{body},{newline}{before}")]


def change(text: str, keys: Sequence[str], index: int, value: Any) -> list[TextEdit]:
    """Return the edits that make `value` the item at `index`."""
    node = _nodes(text, keys)[index]
    old = text[node.start : node.end]
    return (
        []
        if node.plain == value
        else [TextEdit(node.start, old, json_text.render_at(text, node.start, value))]
    )


def drop(text: str, keys: Sequence[str], index: int, kept: int) -> list[TextEdit]:
    """Return the edits that take out the item at `index`.

    With the last one goes what holds the list, where that leaves it empty, but for the first
    `kept` of the keys.
    """
    found = _nodes(text, keys)
    if len(found) == 1:
        if kept < len(keys):
            return json_text.take(text, keys, kept)
        return json_text.put(text, keys, [])
    if index < len(found) - 1:
        start, end = found[index].start, found[index + 1].start
    else:
        start, end = found[index - 1].end, found[index].end
    return [TextEdit(start, text[start:end], "")]


def _nodes(text: str, keys: Sequence[str]) -> tuple[Node, ...]:
    node = json_text.find(text, keys)
    if node is None:
        return ()
    if not isinstance(node.plain, list):
        raise ValueError(f"`{'.'.join(keys)}` is not a list")  # noqa: TRY004 (of the file, not of us)
    return node.items
