"""The lines of a record, read without any trust in whoever wrote them."""

import json
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from abreast.agents.lines import load_line

LONGEST = 64 << 20
"""Bytes of the longest line that is read."""

_EDGE = 4_000  # characters kept of a long text, at its head and at its tail
_BLANK = b"\0 \t\r\n"  # a crash of the machine leaves NULs where nothing was written yet
_HIDDEN = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def open_record(path: Path) -> BinaryIO | None:
    """Open a regular file; None for anything else (a link, a pipe, nothing at all)."""
    try:
        descriptor = os.open(path, os.O_RDONLY | _HIDDEN)
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return None
    return os.fdopen(descriptor, "rb")


def split(file: BinaryIO, longest: int = LONGEST) -> Iterator[bytes | None]:
    """Yield each line; None stands for one that is longer than `longest` bytes."""
    while line := file.readline(longest + 1):
        if len(line) <= longest:
            yield line
            continue
        while line and not line.endswith(b"\n"):
            line = file.readline(longest)
        yield None


def lines_of(path: Path) -> Iterator[bytes]:
    """Yield the lines of the record at `path`, but for those that are too long."""
    if (file := open_record(path)) is not None:
        with file:
            yield from (line for line in split(file) if line is not None)


def parse(line: bytes) -> Any:
    """Return the JSON on a line, None for an empty one. Raises ValueError when it is no JSON."""
    stripped = line.strip(_BLANK)
    if not stripped:
        return None
    try:
        return orjson.loads(stripped)
    except ValueError:  # half a character, which JavaScript writes and only the slow way reads
        return load_line(stripped)


def dump(value: Any) -> str:
    """Return `value`, which came out of `parse`, as JSON; "" when it is nested beyond reason."""
    try:
        return json.dumps(value, ensure_ascii=False)
    except RecursionError:
        return ""


def header(path: Path) -> Mapping[str, Any]:
    """Return the first record in the file, {} when it has none."""
    for line in lines_of(path):
        try:
            value = parse(line)
        except ValueError:
            continue
        if isinstance(value, dict):
            return value
    return {}


def cut(text: str) -> str:
    """Return `text` with its middle left out when it is long."""
    if len(text) <= 2 * _EDGE:
        return text
    return f"{text[:_EDGE]}\n[…]\n{text[-_EDGE:]}"
