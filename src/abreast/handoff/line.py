"""The lines of a handoff, each with its rank."""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from abreast.handoff.masking import mask
from abreast.model.text import harmless


class Section(StrEnum):
    """The four sections, in their order."""

    RIGHT_NOW = "Right now"
    WHY = "Why"
    NEXT_STEP = "Next step"
    CONTEXT = "Context when I return"


@dataclass(frozen=True)
class Line:
    """A line of rank 0 always stays; among the others the lowest ranks are the most important."""

    section: Section
    text: str
    rank: int = 0


class Pen:
    """Writes texts for lines: on one line, bounded, and without secrets."""

    def __init__(self, secrets: tuple[str, ...] = ()) -> None:
        self._mask = partial(mask, known=secrets)

    def words(self, text: str, most: int = 200, *, end: int = 0) -> str:
        """Return `text` folded to one line of at most `most` characters.

        The last of them are the last `end` of the text: below what is pasted stands what is asked.
        """
        folded = " ".join(self._mask(harmless(text)).split())
        if len(folded) <= most:
            return folded
        tail = folded[-end:] if end else ""
        tail = tail.partition(" ")[2] or tail  # from a whole word on, where words have spaces
        return f"{folded[: most - 2 - len(tail)].rstrip()}… {tail}".rstrip()

    def code(self, text: str, most: int = 110) -> str:
        """Return `text` as a span of code, whatever is in it."""
        words = self.words(text, most)
        ticks = "`" * (max(map(len, re.findall("`+", words)), default=0) + 1)
        pad = " " if words.startswith("`") or words.endswith("`") else ""
        return f"{ticks}{pad}{words}{pad}{ticks}"
