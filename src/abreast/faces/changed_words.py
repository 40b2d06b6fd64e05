"""Which words of two lines differ. Pure, and no slower than the lines are long."""

import difflib
import re

Spans = tuple[tuple[int, int], ...]

_WORD = re.compile(r"\w+|\s+|[^\w\s]")
_MOST = 200  # words of a line that are compared; SequenceMatcher takes their square
_LONGEST = 2_000  # characters
_ALIKE = 0.3  # of two lines that have less in common nothing is marked: all of it is new


def changed_spans(before: str, after: str) -> tuple[Spans, Spans]:
    """Return the spans of characters of each line that the other has not.

    None are returned of lines that have hardly anything in common, or are too long to compare.
    """
    if max(len(before), len(after)) > _LONGEST:
        return (), ()
    one, other = (_WORD.findall(line) for line in (before, after))
    if max(len(one), len(other)) > _MOST:
        return (), ()
    found = difflib.SequenceMatcher(None, one, other, autojunk=False)
    if found.ratio() < _ALIKE:
        return (), ()
    starts = _starts(one), _starts(other)
    spans: tuple[list[tuple[int, int]], list[tuple[int, int]]] = [], []
    for tag, a, b, c, d in found.get_opcodes():
        if tag == "equal":
            continue
        for side, (first, last) in enumerate(((a, b), (c, d))):
            if first < last:
                spans[side].append((starts[side][first], starts[side][last]))
    return tuple(spans[0]), tuple(spans[1])


def _starts(words: list[str]) -> list[int]:
    """Return where each word begins, and where the last one ends."""
    found = [0]
    for word in words:
        found.append(found[-1] + len(word))
    return found
