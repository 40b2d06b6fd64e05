"""Changes an entry or a list in a JSON file and leaves every other character as it is.

Comments are allowed, as some CLIs allow them; what those refuse (a comma after the last member) is
refused here too.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from abreast.engine.client.connect.change import TextEdit

_GAP = re.compile(r"(?:\s|//[^\n]*|/\*[\s\S]*?\*/)*")
_REST_OF_LINE = re.compile(r"(?:[ \t\r]|/\*[^\n]*?\*/)*+(?://[^\n]*)?(?=\n|\Z)")
_STRING = re.compile(r'"(?:\\.|[^"\\\n])*"')
_LITERAL = re.compile(r"[\w.+-]+")


@dataclass(frozen=True)
class Member:
    """`start` is that of the key; `end` that of the value; `comma` is where one follows, or -1."""

    key: str
    start: int
    value: "Node"
    comma: int

    @property
    def end(self) -> int:
        return self.value.end


@dataclass(frozen=True)
class Node:
    """A value and where it stands. `members` are an object's, None for anything else; `items` are
    an array's.
    """

    start: int
    end: int
    plain: Any
    members: tuple[Member, ...] | None = None
    items: tuple["Node", ...] = ()

    def find(self, key: str) -> Member | None:
        """Return the member of this key: the last one, which is the one that counts."""
        return next((m for m in reversed(self.members or ()) if m.key == key), None)


def parse(text: str) -> Any:
    """Return what the text says; {} when there is nothing in it. Raises ValueError."""
    return _root(text).plain


def find(text: str, keys: Sequence[str]) -> Node | None:
    """Return the value at `keys`, None when there is none. Raises ValueError."""
    node = _root(text)
    for key in keys:
        member = node.find(key)
        if member is None:
            return None
        node = member.value
    return node


def put(text: str, keys: Sequence[str], value: Any) -> list[TextEdit]:
    """Return the edits that make `value` the one at `keys`; none when it is there already."""
    node = _root(text)
    if node.members is None:
        raise ValueError("it is not an object")
    if node.start == node.end:
        return [TextEdit(len(text), "", _render(_nested(keys, value), "  ", "", "\n") + "\n")]
    for depth, key in enumerate(keys):
        member = node.find(key)
        if member is None:
            return _insert(text, node, key, _nested(keys[depth + 1 :], value))
        if depth == len(keys) - 1:
            return _replace(text, member, value)
        if member.value.members is None:
            raise ValueError(f"`{key}` is not an object")
        node = member.value
    raise ValueError("no key")


def take(text: str, keys: Sequence[str], kept: int) -> list[TextEdit]:
    """Return the edits that remove what is at `keys`; none when nothing is.

    What holds it goes too when that leaves it empty, but for the first `kept` of the keys.
    """
    path = [_root(text)]
    for key in keys:
        member = path[-1].find(key)
        if member is None:
            return []
        path.append(member.value)
    depth = len(keys)
    while depth > kept + 1 and len(path[depth - 1].members or ()) == 1:
        depth -= 1
    return _remove(text, path[depth - 1], keys[depth - 1])


def _insert(text: str, node: Node, key: str, value: Any) -> list[TextEdit]:
    unit, newline = _unit(text), "\r\n" if "\r\n" in text else "\n"
    outer = _indent(text, node.start)
    if not node.members:
        inner = outer + unit
        body = f"{newline}{inner}{json.dumps(key)}: {_render(value, unit, inner, newline)}"
        inside = text[node.start + 1 : node.end - 1]
        if inside.strip():  # a comment
            return [TextEdit(node.start + 1, "", body)]
        return [TextEdit(node.start + 1, inside, f"{body}{newline}{outer}")]
    last = node.members[-1]
    inner = _indent(text, last.start)
    if "\n" not in text[node.start : last.start]:
        return [
            TextEdit(last.end, "", f", {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}")
        ]
    body = f"{newline}{inner}{json.dumps(key)}: {_render(value, unit, inner, newline)}"
    rest = _REST_OF_LINE.match(text, last.end)
    if rest is None or not rest[0].strip():
        return [TextEdit(last.end, "", f",{body}")]
    end = rest.end() - (1 if rest[0].endswith("\r") else 0)
    return [TextEdit(last.end, "", ","), TextEdit(end, "", body)]


def _replace(text: str, member: Member, value: Any) -> list[TextEdit]:
    if member.value.plain == value:
        return []
    newline = "\r\n" if "\r\n" in text else "\n"
    old = text[member.value.start : member.end]
    new = _render(value, _unit(text), _indent(text, member.start), newline)
    return [TextEdit(member.value.start, old, new)]


def _remove(text: str, node: Node, key: str) -> list[TextEdit]:
    members = node.members or ()
    member = node.find(key)
    if member is None:
        return []
    index = members.index(member)
    own_line = re.search(r"\r?\n[ \t]*\Z", text[node.start : member.start])
    start = node.start + own_line.start() if own_line else member.start
    if len(members) == 1:
        outside = text[node.start + 1 : start] + text[member.end : node.end - 1]
        if not outside.strip():  # no comment
            start, end = node.start + 1, node.end - 1
        else:
            end = member.end
        return [TextEdit(start, text[start:end], "")]
    if index < len(members) - 1:
        end = member.comma + 1
        if not own_line:
            end = members[index + 1].start
        return [TextEdit(start, text[start:end], "")]
    comma = members[index - 1].comma
    if not text[comma + 1 : start].strip():
        return [TextEdit(comma, text[comma : member.end], "")]
    return [TextEdit(comma, ",", ""), TextEdit(start, text[start : member.end], "")]


def render_at(text: str, at: int, value: Any) -> str:
    """Return `value` as it is to be written at `at`, in the style of the text around it."""
    newline = "\r\n" if "\r\n" in text else "\n"
    return _render(value, _unit(text), _indent(text, at), newline)


def _render(value: Any, unit: str, indent: str, newline: str) -> str:
    text = json.dumps(value, indent=unit, ensure_ascii=False)
    return text.replace("\n", newline + indent)


def _nested(keys: Sequence[str], value: Any) -> Any:
    for key in reversed(keys):
        value = {key: value}
    return value


def _indent(text: str, at: int) -> str:
    """Return the white space that the line around `at` begins with."""
    line = text[text.rfind("\n", 0, at) + 1 : at]
    return line[: len(line) - len(line.lstrip(" \t"))]


def _unit(text: str) -> str:
    found = re.search(r"\n([ \t]+)\S", text)
    return found[1] if found else "  "


def _root(text: str) -> Node:
    start = _gap(text, 1 if text.startswith("\ufeff") else 0)
    if start == len(text):
        return Node(start, start, {}, ())
    node = _value(text, start)
    if _gap(text, node.end) != len(text):
        raise _wrong(text, node.end)
    return node


def _value(text: str, start: int) -> Node:
    if text.startswith(("{", "["), start):
        return _members(text, start)
    found = _STRING.match(text, start) or _LITERAL.match(text, start)
    if found is None:
        raise _wrong(text, start)
    try:
        return Node(start, found.end(), json.loads(found[0]))
    except json.JSONDecodeError:
        raise _wrong(text, start) from None


def _members(text: str, start: int) -> Node:
    """Return the object or array at `start`; the members of an array have no key."""
    closing = "}" if text[start] == "{" else "]"
    members: list[Member] = []
    at, more = _gap(text, start + 1), False
    while more or not text.startswith(closing, at):
        if members and not more:
            raise _wrong(text, at)
        key, begin = None, at
        if closing == "}":
            key = _STRING.match(text, at)
            colon = _gap(text, key.end()) if key else at
            if key is None or not text.startswith(":", colon):
                raise _wrong(text, at)
            begin = _gap(text, colon + 1)
        value = _value(text, begin)
        comma = _gap(text, value.end)
        more = text.startswith(",", comma)
        members.append(Member(json.loads(key[0]) if key else "", at, value, comma if more else -1))
        at = _gap(text, comma + 1) if more else comma
    if closing == "]":
        items = tuple(member.value for member in members)
        return Node(start, at + 1, [item.plain for item in items], items=items)
    plain = {member.key: member.value.plain for member in members}
    return Node(start, at + 1, plain, tuple(members))


def _gap(text: str, start: int) -> int:
    """Return where white space and comments that begin at `start` end."""
    found = _GAP.match(text, start)
    return found.end() if found else start


def _wrong(text: str, at: int) -> ValueError:
    line = text.count("\n", 0, at) + 1
    return ValueError(f"line {line} is not JSON")


def items(text: str, keys: Sequence[str]) -> list[Any]:
    """Return the list at `keys`, [] when there is none. Raises ValueError when it is not a list."""
    return [node.plain for node in _nodes_at(text, keys)]


def add(text: str, keys: Sequence[str], value: Any) -> list[TextEdit]:
    """Return the edits that make `value` the first item of the list at `keys`."""
    found = _nodes_at(text, keys)
    if not found:
        return put(text, keys, [value])
    first, line = found[0], text.rfind("\n", 0, found[0].start) + 1
    before = text[line : first.start]
    if before.strip():  # it does not begin its line
        return [TextEdit(first.start, "", json.dumps(value, ensure_ascii=False) + ", ")]
    newline = "\r\n" if "\r\n" in text else "\n"
    body = render_at(text, first.start, value)
    return [TextEdit(first.start, "", f"{body},{newline}{before}")]


def change(text: str, keys: Sequence[str], index: int, value: Any) -> list[TextEdit]:
    """Return the edits that make `value` the item at `index`."""
    node = _nodes_at(text, keys)[index]
    old = text[node.start : node.end]
    return (
        []
        if node.plain == value
        else [TextEdit(node.start, old, render_at(text, node.start, value))]
    )


def drop(text: str, keys: Sequence[str], index: int, kept: int) -> list[TextEdit]:
    """Return the edits that take out the item at `index`.

    With the last one goes what holds the list, where that leaves it empty, but for the first
    `kept` of the keys.
    """
    found = _nodes_at(text, keys)
    if len(found) == 1:
        if kept < len(keys):
            return take(text, keys, kept)
        return put(text, keys, [])
    if index < len(found) - 1:
        start, end = found[index].start, found[index + 1].start
    else:
        start, end = found[index - 1].end, found[index].end
    return [TextEdit(start, text[start:end], "")]


def _nodes_at(text: str, keys: Sequence[str]) -> tuple[Node, ...]:
    node = find(text, keys)
    if node is None:
        return ()
    if not isinstance(node.plain, list):
        raise ValueError(f"`{'.'.join(keys)}` is not a list")  # noqa: TRY004 (of the file, not of us)
    return node.items
