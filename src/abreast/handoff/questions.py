"""Finds the questions in a message."""

import re
from collections.abc import Iterator

from abreast.model.text import harmless

_FENCED = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_CODE = re.compile(r"`[^`\n]*`")
_HIDDEN = "\0"  # of which `harmless` leaves none
_ASKED = "?\uff1f\u061f"  # also Chinese and Japanese, Arabic
_SENTENCE = re.compile(
    rf"[^.!\n\u3002\uff01{_ASKED}]*(?:\?(?=[\s\"')\]*_`]|\Z)|[{_ASKED[1:]}])"
    r"|(?:[^\n.!?\u3002\uff01]++|[.!?]++(?!\s))*+(?:[.!?]+|[\u3002\uff01]|\n|\Z)"
)
_PARAGRAPH = re.compile(r"\n\s*\n(?!\s*(?:[-*]|\d+[.)])\s)")  # a list belongs to what is before it
_MOST = 50  # questions


def questions_in(text: str) -> list[str]:
    """Return the sentences of a message that ask something; code in it is no question.

    Those of its last paragraph that asks come first: what came before may have been for show.
    """
    bare = _CODE.sub(lambda code: code[0].replace("?", _HIDDEN), _FENCED.sub("\n", harmless(text)))
    blocks = [list(_asked_in(block)) for block in _PARAGRAPH.split(bare)]
    return [one for asked in reversed(blocks) for one in asked][:_MOST]


def _asked_in(block: str) -> Iterator[str]:
    for sentence in _SENTENCE.findall(block):
        one = sentence.strip().lstrip("-*>#0123456789.) ").replace(_HIDDEN, "?")
        if one.rstrip("*_\"')").endswith(tuple(_ASKED)) and len(one) > 3:
            yield one
