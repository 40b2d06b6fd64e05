"""Add a group of hooks to a TOML file, or take it out, leaving comments and layout as they are."""

import copy
import json
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

import tomlkit

from abreast.engine.connect.edits import Edit, apply, between

_STATE = "state"


def items(text: str, keys: Sequence[str]) -> list[Any]:
    """Return the list at `keys`, [] when there is none. Raises ValueError when it is no list."""
    found: Any = _parse(text)
    for key in keys:
        found = found.get(key, {}) if isinstance(found, Mapping) else None
    if found and not isinstance(found, list):
        raise ValueError(f"`{'.'.join(keys)}` is no list")
    return list(found or [])


def add(
    text: str, keys: Sequence[str], group: Mapping[str, Any], beside: Mapping[str, Any]
) -> list[Edit]:
    """Return the edits that append `group` to the list of tables at `keys`.

    What is `beside` goes into the table `state` next to it.
    """
    wanted = copy.deepcopy(_parse(text))
    table = wanted.setdefault(keys[0], {})
    if not isinstance(table, dict):
        raise ValueError(f"`{keys[0]}` is no table")  # noqa: TRY004 (of the file, not of us)
    table[keys[1]] = [*items(text, keys), dict(group)]
    if beside:
        table[_STATE] = {**table.get(_STATE, {}), **beside}
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = [f"[[{'.'.join(keys)}]]", *(f"{k} = {_inline(v)}" for k, v in group.items())]
    for name, entry in beside.items():
        lines += ["", f"[{keys[0]}.{_STATE}.{json.dumps(name, ensure_ascii=False)}]"]
        lines += [f"{k} = {_inline(v)}" for k, v in entry.items()]
    body = newline.join([*lines, ""])
    if text.strip():
        body = newline + body if text.endswith("\n") else newline * 2 + body
    edits = [Edit(len(text), "", body)]
    return _checked(text, edits, wanted)


def drop(text: str, keys: Sequence[str], index: int, beside: Sequence[str]) -> list[Edit]:
    """Return the edits that take out the group at `index`, and what is `beside` it.

    Tables that this leaves empty go too.
    """
    wanted, document = copy.deepcopy(_parse(text)), tomlkit.parse(text)
    for whole in (wanted, document):
        _cut(whole, keys, index, beside)
    new = tomlkit.dumps(document)
    if text.startswith(new):  # it was the last one: the empty line before it goes too
        new = new.rstrip("\r\n") + text[len(new.rstrip("\r\n")) :][:1] if new.strip() else ""
    return _checked(text, between(text, new), wanted)


def _cut(whole: Any, keys: Sequence[str], index: int, beside: Sequence[str]) -> None:
    table = whole[keys[0]]
    del table[keys[1]][index]
    if not table[keys[1]]:
        del table[keys[1]]
    state = table.get(_STATE, {})
    for name in beside:
        if name in state:
            del state[name]
    if _STATE in table and not table[_STATE]:
        del table[_STATE]
    if not table:
        del whole[keys[0]]


def _inline(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_inline(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_inline, value)) + "]"
    return str(tomlkit.item(value).as_string())


def _parse(text: str) -> Any:
    return tomllib.loads(text.replace("\r\n", "\n"))


def _checked(text: str, edits: Sequence[Edit], wanted: Any) -> list[Edit]:
    try:
        fits = _parse(apply(text, edits)) == wanted
    except ValueError:
        fits = False
    if not fits:
        raise ValueError("it is written in a way that cannot be edited safely")
    return list(edits)
