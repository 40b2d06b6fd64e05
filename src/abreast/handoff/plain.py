"""Foreign text as it may stand in a file: nothing in it acts on a terminal, reorders or hides."""

import re

# Escape sequences (with the text of those that have one, such as titles and links), control
# characters but line breaks and tabs, marks that reorder a line, spaces without width, and tags,
# which a model reads and a person cannot see. Joiners stay: some scripts cannot do without.
_ACTS = re.compile(
    r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b\[[0-?]*[ -/]*[@-~]|\x1b[ -/]*[0-Z\\-~]"
    r"|[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]"
    r"|[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\U000e0000-\U000e007f]"
)
_HALF = re.compile(r"[\ud800-\udfff]")  # a byte that is no text, as in the name of a file


def plain(text: str) -> str:
    """Return `text` without what acts or hides; what is no character becomes U+FFFD."""
    return _HALF.sub("\ufffd", _ACTS.sub("", text))
