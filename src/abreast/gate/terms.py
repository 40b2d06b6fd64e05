"""The words of a text, as far as they help to find what else is like it."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from math import fsum

_LONGEST = 20_000  # characters of a text that are read: a prompt may have a megabyte
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_a-zA-Z]+|\d{2,}")
_EMPTY = frozenset(
    """
    a an and are as at be been but by can could do does for from had has have if in into is it its
    merge merged more no not of on or our pull request pr should so some than that the their them
    then there these they this to up use used using was we were when which will with would you
    """.split()  # noqa: SIM905  a list would take fifty lines
)
_ENDINGS = ("ations", "ation", "ings", "ing", "ies", "ied", "es", "ed", "s", "e")


def terms(text: str) -> list[str]:
    """Return the words of a text in its order, in lower case, without endings and common words.

    A name such as `readConfig_file` is three words.
    """
    found = (match.lower() for match in _WORD.findall(text[:_LONGEST]))
    return [_stem(word) for word in found if len(word) > 1 and word not in _EMPTY]


@lru_cache(maxsize=1 << 16)
def name_terms(path: str) -> frozenset[str]:
    """Return the words of a path."""
    return frozenset(terms(path))


@lru_cache(maxsize=1 << 16)
def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


def likeness(one: Iterable[str], other: Iterable[str], weights: Mapping[str, float]) -> float:
    """Return how alike two sets of words are, 0-1: the cosine of their weights.

    A word that is not in `weights` counts 1.
    """
    first, second = frozenset(one), frozenset(other)
    if first.isdisjoint(second):
        return 0.0
    # `fsum` does not depend on the order, and sets have another one in each process.
    both = fsum(weights.get(word, 1.0) ** 2 for word in first & second)
    sizes = (fsum(weights.get(word, 1.0) ** 2 for word in words) for words in (first, second))
    left, right = sizes
    return float(both / (left * right) ** 0.5) if both else 0.0
