"""Show no more than the limit: cut between items, and page through the rest without a loss."""

from collections.abc import Sequence
from dataclasses import dataclass

from abreast.model.tokens import BYTES_PER_TOKEN, count_tokens

__all__ = ["Page", "count_tokens", "paginate"]


@dataclass(frozen=True)
class Page:
    """A part of a deliverable. `first` and `last` number its items from 1; `of` is their total.

    `text` is the part itself: the texts of all pages, put together, are the whole. `whole_items`
    is False where an item alone is longer than a page and had to be divided.
    """

    number: int
    pages: int
    first: int
    last: int
    of: int
    text: str
    whole_items: bool = True


def paginate(items: Sequence[str], limit_tokens: int) -> list[Page]:
    """Divide `items` into pages of at most `limit_tokens` each (at least one token).

    Every page but the last ends with the line break that joins it to the next.
    """
    budget = max(1, limit_tokens) * BYTES_PER_TOKEN
    parts: list[tuple[int, int, str, bool]] = []  # first item, last item, text, items are whole
    for number, item in enumerate(items, 1):
        text = item if number == len(items) else f"{item}\n"
        if _size(text) > budget:
            parts += [(number, number, chunk, False) for chunk in _chunks(text, budget)]
        elif parts and parts[-1][3] and _size(parts[-1][2]) + _size(text) <= budget:
            first, _, before, _ = parts[-1]
            parts[-1] = (first, number, before + text, True)
        else:
            parts.append((number, number, text, True))
    return [
        Page(at, len(parts), first, last, len(items), text, whole)
        for at, (first, last, text, whole) in enumerate(parts, 1)
    ]


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _chunks(text: str, budget: int) -> list[str]:
    """Divide a text into pieces of at most `budget` bytes, between words where there are any."""
    chunks, rest = [], text
    while _size(rest) > budget:
        cut = _fitting(rest, budget)
        space = rest.rfind(" ", 0, cut)
        cut = space + 1 if space > cut // 2 else cut
        chunks.append(rest[:cut])
        rest = rest[cut:]
    return [*chunks, rest] if rest else chunks


def _fitting(text: str, budget: int) -> int:
    """Return how many characters of `text` fit into `budget` bytes; at least one."""
    low, high = 1, min(len(text), budget)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _size(text[:middle]) <= budget else (low, middle - 1)
    return low
