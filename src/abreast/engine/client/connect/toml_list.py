"""Add a group of hooks to a TOML file, or take it out, leaving comments and layout as they are."""

import copy
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import tomlkit

from abreast.engine.client.connect.edits import TextEdit, between
from abreast.engine.client.connect.toml_text import appended, checked, parse

_STATE = "state"
_HEAD = re.compile(r"\s*(\[.*\])\s*(?:#.*)?$")


def items(text: str, keys: Sequence[str]) -> list[Any]:
    """Return the list at `keys`, [] when there is none. Raises ValueError when it is not a list."""
    found: Any = parse(text)
    for key in keys:
        found = found.get(key, {}) if isinstance(found, Mapping) else None
    if found and not isinstance(found, list):
        raise ValueError(f"`{'.'.join(keys)}` is not a list")
    return list(found or [])


def add(
    text: str, keys: Sequence[str], group: Mapping[str, Any], beside: Mapping[str, Any]
) -> list[TextEdit]:
    """Return the edits that append `group` to the list of tables at `keys`.

    What is `beside` goes into the table `state` next to it.
    """
    wanted = copy.deepcopy(parse(text))
    table = wanted.setdefault(keys[0], {})
    if not isinstance(table, dict):
        raise ValueError(f"`{keys[0]}` is not a table")  # noqa: TRY004 (of the file, not of us)
    table[keys[1]] = [*items(text, keys), dict(group)]
    if beside:
        table[_STATE] = {**table.get(_STATE, {}), **beside}
    lines = [f"[[{'.'.join(keys)}]]", *(f"{k} = {_inline(v)}" for k, v in group.items())]
    for name, entry in beside.items():
        lines += ["", f"[{keys[0]}.{_STATE}.{json.dumps(name, ensure_ascii=False)}]"]
        lines += [f"{k} = {_inline(v)}" for k, v in entry.items()]
    return checked(text, appended(text, lines), wanted)


def drop(text: str, keys: Sequence[str], index: int, beside: Sequence[str]) -> list[TextEdit]:
    """Return the edits that take out the group at `index`, and what is `beside` it.

    Tables that this leaves empty go too. Done line by line, because tomlkit loses count of a list
    of tables with other tables between its items.
    """
    wanted = copy.deepcopy(parse(text))
    _cut(wanted, keys, index, beside)
    lines = text.splitlines(keepends=True)
    heads = [n for n, line in enumerate(lines) if _names(line) == f"[[{'.'.join(keys)}]]"]
    blocks = [heads[index]] if index < len(heads) else []
    for name in beside:
        head = f"[{keys[0]}.{_STATE}.{json.dumps(name, ensure_ascii=False)}]"
        blocks += [n for n, line in enumerate(lines) if _names(line) == head]
    for start in sorted(blocks, reverse=True):
        del lines[slice(*_block(lines, start))]
    return checked(text, between(text, "".join(lines)), wanted)


def _names(line: str) -> str:
    """Return what a line says if it is the head of a table, without comment and white space."""
    found = _HEAD.match(line)
    return found[1] if found else ""


def _block(lines: Sequence[str], start: int) -> tuple[int, int]:
    """Return the lines of the table whose head is at `start`, with the empty one before it."""
    end = start + 1
    while end < len(lines) and (line := lines[end].strip()) and line[0] not in "[#":
        end += 1
    return start - bool(start and not lines[start - 1].strip()), end


def _cut(whole: Any, keys: Sequence[str], index: int, beside: Sequence[str]) -> None:
    table = whole[keys[0]]
    del table[keys[1]][index]
    if not table[keys[1]]:
        del table[keys[1]]
    state = table.get(_STATE, {})
    for name in beside:
        state.pop(name, None)
    if not state:
        table.pop(_STATE, None)
    if not table:
        del whole[keys[0]]


def _inline(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_inline(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_inline, value)) + "]"
    return str(tomlkit.item(value).as_string())
