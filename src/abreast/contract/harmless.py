"""Foreign text as it may be shown, to a person or a model: nothing in it acts, or hides.

What is kept on disk, and printed as JSON, stays as it was.
"""

import json
import re
from collections.abc import Sequence

# Escape sequences of terminals; control characters but tab and line break; what reorders a line
# (marks, embeddings, overrides, isolates); tag characters, which a model reads and a person cannot
# see.
_ACTS = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f-\x9f]"
    r"|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]|[\U000e0000-\U000e007f]"
)
_HALF = re.compile("[\\ud800-\\udfff]")  # of a surrogate pair: no terminal or protocol takes it
_NAMES = 5  # shown of a list
_NAME = 60  # characters of one


def harmless(text: str) -> str:
    """Return `text` without characters that could repaint, reorder or hide what is shown.

    What is no character at all becomes U+FFFD.
    """
    return _HALF.sub("\ufffd", _ACTS.sub("", text))


def named(names: Sequence[str]) -> str:
    """Return names of files in quotes, on one line, the first few of them and each cut short."""
    rest = len(names) - _NAMES
    shown = ", ".join(map(_quoted, names[:_NAMES]))
    return f"{shown} and {rest} more" if rest > 0 else shown


def _quoted(name: str) -> str:
    line = " ".join(harmless(name).split())
    cut = line if len(line) <= _NAME else f"{line[: _NAME - 1]}…"
    return json.dumps(cut, ensure_ascii=False)
