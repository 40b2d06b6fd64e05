"""How values become text that SQLite and PostgreSQL both keep, and back."""

import json
import re
from collections.abc import Iterable
from functools import lru_cache

# PostgreSQL has no NUL in text, and neither database takes half of a surrogate pair (which is how
# Python carries bytes that are no UTF-8).
_UNFIT = re.compile("[\x00\ud800-\udfff]")


def clean(text: str) -> str:
    """Return `text` with every character that a database refuses replaced by U+FFFD."""
    return _UNFIT.sub("\ufffd", text)


def dump_list(items: Iterable[str]) -> str:
    """Return items as a JSON array in ASCII, which carries any file name through any database."""
    return json.dumps(list(items))


@lru_cache(maxsize=4096)
def load_list(text: str) -> tuple[str, ...]:
    """Return what `dump_list` was given."""
    return tuple(json.loads(text))
