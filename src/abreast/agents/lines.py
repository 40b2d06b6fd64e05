"""A line of a CLI's stream, or of its own record, as a value."""

import json
import re
from typing import Any

# Half of a pair that stands for one character, as an escape or as bytes.
_HALF = re.compile(rb"\\u[dD][89a-fA-F]|\xed[\xa0-\xbf]")


def load_line(line: bytes) -> Any:
    """Return the JSON on a line; every text in it can be written down again.

    The CLIs are JavaScript and Rust: the former cuts texts anywhere, in the middle of an emoji too,
    and no file, database or terminal takes half a character. It becomes a question mark. Raises
    ValueError when the line is not JSON, or nested beyond reason.
    """
    try:
        value = json.loads(line)
        if _HALF.search(line):
            value = json.loads(json.dumps(value, ensure_ascii=False).encode(errors="replace"))
    except RecursionError as deep:
        raise ValueError("nested too deeply") from deep
    return value
