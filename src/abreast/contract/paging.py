"""Divides a deliverable into pages within the limit, cut between items, without loss."""

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
    held: list[str] = []  # the items of the page that is not full yet
    room = budget
    for number, item in enumerate(items, 1):
        text = item if number == len(items) else f"{item}\n"
        size = _size(text)
        if held and size > room:
            parts.append((number - len(held), number - 1, "".join(held), True))
            held, room = [], budget
        if size > budget:
            parts += [(number, number, chunk, False) for chunk in _chunks(text, budget)]
        else:
            held.append(text)
            room -= size
    if held:
        parts.append((len(items) - len(held) + 1, len(items), "".join(held), True))
    return [
        Page(at, len(parts), first, last, len(items), text, whole)
        for at, (first, last, text, whole) in enumerate(parts, 1)
    ]


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _chunks(text: str, budget: int) -> list[str]:
    """Divide a text into pieces of at most `budget` bytes, between words where there are any."""
    chunks, at = [], 0
    while at < len(text):
        end = at + _fitting(text[at : at + budget], budget)
        space = text.rfind(" ", at, end)
        if end < len(text) and space - at > (end - at) // 2:
            end = space + 1
        chunks.append(text[at:end])
        at = end
    return chunks


def _fitting(text: str, budget: int) -> int:
    """Return how many characters of `text` fit into `budget` bytes; at least one."""
    encoded = text.encode("utf-8", "surrogatepass")
    end = min(budget, len(encoded))
    while end < len(encoded) and encoded[end] & 0xC0 == 0x80:  # in the middle of a character
        end -= 1
    return len(encoded[:end].decode("utf-8", "surrogatepass"))
