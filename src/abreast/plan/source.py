"""Where in a plan something is, in words: `plan.toml:12 task retry-http.needs`.

`tomllib` does not tell the line of a key. What finds it here knows headers and `key = value` lines,
which is what a plan is made of. What is inside an inline table or a list is found as the line of
the key that holds it. The text must be valid TOML.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from abreast.errors import Problem

KeyPath = tuple[str | int, ...]

_TOKEN = re.compile(
    # What is not closed goes on to its end: else the next quote would be tried, and so on.
    r'"""(?:[^"\\]|\\.|"{1,2}(?!"))*+(?:"{3,5}|\Z)'
    r"|'''(?:[^']|'{1,2}(?!'))*+(?:'{3,5}|\Z)"
    r'|"(?:[^"\\\n]|\\.)*+(?:"|(?=\n)|\Z)'
    r"|'[^'\n]*'"
    r"|\#[^\n]*",
    re.DOTALL,
)
_DEEPEST = 10  # names of a key; ours have two
_PART = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*')"""
_KEY = rf"{_PART}(?:[ \t]*\.[ \t]*{_PART})*"
_LINE = re.compile(
    rf"[ \t]*(?:(?P<array>\[\[)[ \t]*(?P<item>{_KEY})[ \t]*\]\]"
    rf"|\[[ \t]*(?P<table>{_KEY})[ \t]*\]|(?P<key>{_KEY})[ \t]*=)"
)


def key_lines(text: str) -> dict[KeyPath, int]:
    """Return the line (from 1) of each table and key; list positions count from 0.

    The third task's needs are at `("task", 2, "needs")`.
    """
    lines: dict[KeyPath, int] = {}
    last: dict[KeyPath, int] = {}  # the position of the newest table in each array of tables
    table: KeyPath = ()
    for number, line in enumerate(_TOKEN.sub(_blank, text).splitlines(), 1):
        found = _LINE.match(line)
        if found is None:
            continue
        if found["key"]:
            keys = _parts(found["key"])
            for length in range(1, min(len(keys), _DEEPEST) + 1):
                lines.setdefault((*table, *keys[:length]), number)
        else:
            keys = _parts(found["item"] or found["table"])
            table = _table_at(keys, last, new=bool(found["array"]))
            lines.setdefault(keys, number)  # the first of an array of tables stands for the array
            lines.setdefault(table, number)
    return lines


def find_line(lines: dict[KeyPath, int], path: KeyPath) -> int | None:
    """Return the line of `path`, or of the nearest table or key around it."""
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return None


def _blank(token: re.Match[str]) -> str:
    """Return a token without its text if that may look like TOML: a comment, a long string."""
    text = token[0]
    if text.startswith(('"""', "'''")):
        return '""' + "\n" * text.count("\n")
    return "" if text.startswith("#") else text


def _parts(key: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in re.findall(_PART, key))


def _table_at(keys: tuple[str, ...], last: dict[KeyPath, int], *, new: bool) -> KeyPath:
    path: KeyPath = ()
    for depth, key in enumerate(keys, 1):
        path = (*path, key)
        if new and depth == len(keys):
            last[path] = last.get(path, -1) + 1
        if path in last:
            path = (*path, last[path])
    return path


def merged(tables: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the keys of all tables, the later ones over the earlier; tables in both are joined."""
    whole: dict[str, Any] = {}
    for table in tables:
        for key, value in table.items():
            known = whole.get(key)
            both = isinstance(known, dict) and isinstance(value, dict) and key != "agent"
            whole[key] = merged((known, value)) if both and known is not None else value
    return whole


@dataclass
class Source:
    """A plan file as it was read, and the problems found in it so far."""

    file: str
    text: str
    raw: Mapping[str, Any]
    warnings: list[Problem] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lines = key_lines(self.text)
        self._found: list[tuple[int, Problem]] = []

    @property
    def tasks(self) -> list[tuple[int, Mapping[str, Any]]]:
        """The tasks that are tables at all, each with its position."""
        tasks = self.raw.get("task")
        found = tasks if isinstance(tasks, list) else []
        return [(at, task) for at, task in enumerate(found) if isinstance(task, dict)]

    def where(self, path: KeyPath) -> str:
        """Return the place of `path` as `FILE:LINE KEY`."""
        line = find_line(self._lines, path)
        place = f"{self.file}:{line}" if line else self.file
        return f"{place} {self._name(path)}".rstrip()

    def line(self, path: KeyPath) -> int:
        """Return the line of `path`, or 0."""
        return find_line(self._lines, path) or 0

    def problem(self, path: KeyPath, message: str, hint: str | None = None) -> None:
        """Add something that is wrong at `path`."""
        self._found.append((self.line(path), Problem(self.where(path), message, hint)))

    @property
    def sound(self) -> bool:
        """Whether no problem has been found so far."""
        return not self._found

    def warning(self, path: KeyPath, message: str, hint: str | None = None) -> None:
        """Add something that the user should know, though it stops nothing."""
        self.warnings.append(Problem(self.where(path), message, hint))

    def in_order(self) -> list[Problem]:
        """Return the problems by their line."""
        return [problem for _, problem in sorted(self._found, key=lambda found: found[0])]

    def _name(self, path: KeyPath) -> str:
        if len(path) < 2 or path[0] != "task" or not isinstance(path[1], int):
            return _dotted(path)
        task = dict(self.tasks).get(path[1], {}).get("id")
        named = task if isinstance(task, str) and task else f"#{path[1] + 1}"
        rest = _dotted(path[2:])
        return f"task {named}.{rest}" if rest else f"task {named}"


def _dotted(path: KeyPath) -> str:
    """Return a path as text; list positions count from 1."""
    words = [f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in path]
    return "".join(words).lstrip(".")
