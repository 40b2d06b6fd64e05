"""Changes a table or a list of tables in a TOML file and leaves comments and layout as they are."""

import copy
import json
import re
import tomllib
from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any

import tomlkit

from abreast.engine.client.connect.change import TextEdit, apply, between

_WIDTH = 96


def parse(text: str) -> Any:
    """Return what the text says. Raises ValueError."""
    return tomllib.loads(text.replace("\r\n", "\n"))


def put(text: str, keys: Sequence[str], value: Mapping[str, Any]) -> list[TextEdit]:
    """Return the edits that make `value` the table at `keys`; none when it is there already."""
    wanted = _with(parse(text), keys, value)
    if wanted == parse(text):
        return []
    lines = [f"[{'.'.join(keys)}]", *(_line(key, item) for key, item in value.items())]
    block = appended(text, lines)
    if _reads(apply(text, block), wanted):
        return block
    # The table is there, or is part of one that is written in line.
    document = tomlkit.parse(text)
    _merge(document, keys, value)
    return checked(text, between(text, tomlkit.dumps(document)), wanted)


def take(text: str, keys: Sequence[str], kept: int) -> list[TextEdit]:
    """Return the edits that remove the table at `keys`; none when there is none.

    What holds it goes too when that leaves it empty, but for the first `kept` of the keys.
    """
    wanted = parse(text)
    if not _cut(wanted, keys, kept):
        return []
    document = tomlkit.parse(text)
    _cut(document, keys, kept)
    new = tomlkit.dumps(document)
    if text.startswith(new):  # it was the last one: the line before it, which is empty, goes too
        new = re.sub(r"(\r?\n)\r?\n\Z", r"\1", new)
    return checked(text, between(text, new), wanted)


def appended(text: str, lines: Sequence[str]) -> list[TextEdit]:
    """Return the edits that put lines at the end of a text, behind an empty one."""
    newline = "\r\n" if "\r\n" in text else "\n"
    body = newline.join("\n".join(lines).split("\n")) + newline
    if text.strip():
        body = newline + body if text.endswith("\n") else newline * 2 + body
    return [TextEdit(len(text), "", body)]


def _line(key: str, value: Any) -> str:
    text = f"{key} = {tomlkit.item(value).as_string()}"
    if not isinstance(value, list) or len(text) <= _WIDTH:
        return text
    lines = [f"{key} = ["]
    row = " "
    for item in (tomlkit.item(one).as_string() for one in value):
        if len(row) + len(item) + 2 > _WIDTH:
            lines.append(row)
            row = " "
        row += f" {item},"
    return "\n".join([*lines, row, "]"])


def _merge(document: Any, keys: Sequence[str], value: Mapping[str, Any]) -> None:
    table: Any = document
    for key in keys[:-1]:
        table = table.setdefault(key, tomlkit.table(is_super_table=True))
    own = table.get(keys[-1])
    if not isinstance(own, MutableMapping):
        inline = isinstance(table, tomlkit.items.InlineTable)
        own = tomlkit.inline_table() if inline else tomlkit.table()
        table[keys[-1]] = own
        own = table[keys[-1]]
    for key in [key for key in own if key not in value]:
        del own[key]
    for key, item in value.items():
        if own.get(key) != item:
            own[key] = item


def _cut(document: Any, keys: Sequence[str], kept: int) -> bool:
    path = [document]
    for key in keys:
        if not isinstance(path[-1], Mapping) or key not in path[-1]:
            return False
        path.append(path[-1][key])
    depth = len(keys)
    del path[depth - 1][keys[depth - 1]]
    while depth > kept + 1 and not path[depth - 1]:
        depth -= 1
        if keys[depth - 1] in path[depth - 1]:
            del path[depth - 1][keys[depth - 1]]
    return True


def _with(parsed: Any, keys: Sequence[str], value: Mapping[str, Any]) -> Any:
    whole = copy.deepcopy(parsed)
    table = whole
    for key in keys[:-1]:
        table = table.setdefault(key, {})
        if not isinstance(table, dict):
            raise ValueError(f"`{key}` is not a table")  # noqa: TRY004 (of the file, not of us)
    table[keys[-1]] = dict(value)
    return whole


def checked(text: str, edits: Sequence[TextEdit], wanted: Any) -> list[TextEdit]:
    """Return `edits`. Raises ValueError when they do not make the text say what is `wanted`."""
    if not _reads(apply(text, edits), wanted):
        raise ValueError("it cannot be edited safely")
    return list(edits)


def _reads(text: str, wanted: Any) -> bool:
    try:
        return bool(parse(text) == wanted)
    except ValueError:
        return False


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
    _cut_group(wanted, keys, index, beside)
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


def _cut_group(whole: Any, keys: Sequence[str], index: int, beside: Sequence[str]) -> None:
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
