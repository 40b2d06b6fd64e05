"""What is known of a file, before two tasks start, that helps to tell whether they conflict in it.

The order is that of `abreast.gate.model.NAMES`.
"""

import math
from dataclasses import dataclass

from abreast.gate.model import Row
from abreast.gate.past import FilePast, MeetingTally, Past, PastTouch, kind_of
from abreast.gate.terms import likeness, name_terms, terms

_RATE = 0.25
"""Conflicts at a shared path before any is known: 0.13-0.36 in six histories."""
_OF_ALL, _OF_KIND, _OF_FILE = 10.0, 6.0, 4.0  # meetings that what is known otherwise counts as
_OF_LINES = 3.0  # changes that it counts as
_FADING = 0.9  # what a change counts after each later one to the file
_PULL = 6.0  # a change that is wholly like a task counts e^6 times as much as one that is not
_LEAST = 1e-4


@dataclass(frozen=True, slots=True)
class Pair:
    """What two tasks have in common: the same whichever of them comes first."""

    words: tuple[frozenset[str], frozenset[str]]
    weights: dict[str, float]
    alike: float
    few: int
    many: int
    shared: int


def pair_of(
    past: Past, paths: tuple[frozenset[str], frozenset[str]], sentences: tuple[str, str]
) -> Pair:
    """Return what two tasks have in common, by their paths and sentences."""
    one, other = paths
    words = (frozenset(terms(sentences[0])), frozenset(terms(sentences[1])))
    weights = past.weights(words[0] | words[1])
    few, many = sorted((len(one - other), len(other - one)))
    alike = likeness(*words, weights)
    return Pair(words, weights, alike, few, many, max(1, len(one & other)))


def features(past: Past, path: str, pair: Pair, *, new: bool) -> Row:
    """Return what is known of one file that both tasks write."""
    known = past.files.get(path) or FilePast()
    of_all = past.all.rate(_RATE, _OF_ALL)
    kind = past.kinds.get(kind_of(path), MeetingTally()).rate(of_all, _OF_KIND)
    lines, place = _meetings(known.last, pair)
    count = len(known.last)
    name = name_terms(path)
    pieces = sum(len(touch.spans) for touch in known.last) / max(1, count)
    return (
        float(new),
        _logit(known.tally.rate(kind, _OF_FILE)),
        _logit(kind),
        _logit((lines * count + _OF_LINES * of_all) / (count + _OF_LINES)),
        _logit((place * count + _OF_LINES * of_all) / (count + _OF_LINES)),
        pair.alike,
        math.log(0.005 + past.heat(path)),
        math.log1p(known.size),
        math.log1p(pair.few),
        math.log1p(pair.many),
        math.log(pair.shared),
        max(len(name & words) / max(1, len(name)) for words in pair.words),
        math.log1p(pieces),
        float("/" not in path),
    )


def _meetings(last: list[PastTouch], pair: Pair) -> tuple[float, float]:
    """Return which share of a file's last changes, in pairs, met: by age, and by likeness too."""
    if len(last) < 2:
        return 0.0, 0.0
    ages = [_FADING ** (len(last) - 1 - at) for at in range(len(last))]
    pulls = [[likeness(words, t.words, pair.weights) for t in last] for words in pair.words]
    one, other = (
        [age * math.exp(_PULL * like) for age, like in zip(ages, likes, strict=True)]
        for likes in pulls
    )
    met = whole = met_here = whole_here = 0.0
    for at, touch in enumerate(last):
        for before in range(at):
            by_age = ages[at] * ages[before]
            by_words = one[at] * other[before] + one[before] * other[at]
            whole += by_age
            whole_here += by_words
            if touch.meets(last[before]):
                met += by_age
                met_here += by_words
    return met / whole, met_here / whole_here


def _logit(share: float) -> float:
    share = min(max(share, _LEAST), 1 - _LEAST)
    return math.log(share / (1 - share))
