"""Changes of a text as the places that change, so that the rest of it is never written anew."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class TextEdit:
    """At `at`, `old` becomes `new`. Positions are those of the text before any edit."""

    at: int
    old: str
    new: str


def apply(text: str, edits: Sequence[TextEdit]) -> str:
    """Return `text` changed. Raises ValueError when an edit's `old` is not there."""
    for edit in sorted(edits, reverse=True):
        end = edit.at + len(edit.old)
        if text[edit.at : end] != edit.old:
            raise ValueError("this text is not the one that was to be changed")
        text = text[: edit.at] + edit.new + text[end:]
    return text


def reverse(edits: Sequence[TextEdit]) -> list[TextEdit]:
    """Return the edits that undo these."""
    undone, shift = [], 0
    for edit in sorted(edits):
        undone.append(TextEdit(edit.at + shift, edit.new, edit.old))
        shift += len(edit.new) - len(edit.old)
    return undone


def between(old: str, new: str) -> list[TextEdit]:
    """Return the one edit, as short as can be, that makes `new` of `old`; none if they agree."""
    if old == new:
        return []
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    most = min(len(old), len(new)) - head
    while tail < most and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    gone, come = old[head : len(old) - tail], new[head : len(new) - tail]
    return [TextEdit(head, gone, come)]
