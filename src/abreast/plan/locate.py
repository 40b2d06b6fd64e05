"""Finds the line of a key in a TOML text, which `tomllib` does not tell.

It knows headers and `key = value` lines, which is what a plan is made of. What is inside an inline
table or a list is found as the line of the key that holds it. The text must be valid TOML.
"""

import re

Path = tuple[str | int, ...]

_TOKEN = re.compile(
    r'"""(?:[^"\\]|\\.|"{1,2}(?!"))*"{3,5}'
    r"|'''(?:[^']|'{1,2}(?!'))*'{3,5}"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'"
    r"|\#[^\n]*",
    re.DOTALL,
)
_PART = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*')"""
_KEY = rf"{_PART}(?:[ \t]*\.[ \t]*{_PART})*"
_LINE = re.compile(
    rf"[ \t]*(?:(?P<array>\[\[)[ \t]*(?P<item>{_KEY})[ \t]*\]\]"
    rf"|\[[ \t]*(?P<table>{_KEY})[ \t]*\]|(?P<key>{_KEY})[ \t]*=)"
)


def key_lines(text: str) -> dict[Path, int]:
    """Return the line (from 1) of each table and key; list positions count from 0.

    The third task's needs are at `("task", 2, "needs")`.
    """
    lines: dict[Path, int] = {}
    last: dict[Path, int] = {}  # the position of the newest table in each array of tables
    table: Path = ()
    for number, line in enumerate(_TOKEN.sub(_blank, text).splitlines(), 1):
        found = _LINE.match(line)
        if found is None:
            continue
        if found["key"]:
            keys = _parts(found["key"])
            for length in range(1, len(keys) + 1):
                lines.setdefault((*table, *keys[:length]), number)
        else:
            keys = _parts(found["item"] or found["table"])
            table = _table(keys, last, new=bool(found["array"]))
            lines.setdefault(keys, number)  # the first of an array of tables stands for the array
            lines.setdefault(table, number)
    return lines


def find_line(lines: dict[Path, int], path: Path) -> int | None:
    """Return the line of `path`, or of the nearest table or key around it."""
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return None


def _blank(token: re.Match[str]) -> str:
    """Empty comments and strings of several lines: a prompt may look like TOML."""
    text = token[0]
    if text.startswith(('"""', "'''")):
        return '""' + "\n" * text.count("\n")
    return "" if text.startswith("#") else text


def _parts(key: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in re.findall(_PART, key))


def _table(keys: tuple[str, ...], last: dict[Path, int], *, new: bool) -> Path:
    path: Path = ()
    for depth, key in enumerate(keys, 1):
        path = (*path, key)
        if new and depth == len(keys):
            last[path] = last.get(path, -1) + 1
        if path in last:
            path = (*path, last[path])
    return path
