"""The lines of Gemini CLI's files, read without any trust in whoever wrote them."""

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from abreast.agents.lines import load_line
from abreast.agents.recorded import open_record, split

_BLANK = b"\0 \t\r\n"  # a crash of the machine leaves NULs where nothing was written yet


def lines_of(path: Path) -> Iterator[bytes]:
    """Yield the lines of the file at `path`, but for those that are too long; none of no file."""
    with contextlib.suppress(OSError), open_record(path) as file:
        yield from (line for line in split(file) if line is not None)


def parse(line: bytes) -> Any:
    """Return the JSON on a line, None for an empty one. Raises ValueError when it is not JSON."""
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
