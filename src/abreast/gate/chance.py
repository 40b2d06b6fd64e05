"""How probably two tasks would conflict in text, by what their declared paths have been through."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from abreast.gate.past import Past, kind_of

_OF_KIND, _OF_ALL = 3.0, 4.0
"""How many meetings the rate of a file's kind counts as beside its own, and that of all files."""

_FIRST_RATE = 0.25
"""The rate of conflicts at a shared path before anything is known (0.14-0.37 in ten histories)."""

_SURE = 0.97
"""Two tasks that both create a file, or one that is not there yet, hardly ever go together."""

_MECHANICAL_SHARE, _MECHANICAL_LEAST = 0.75, 2
"""A file is mechanical when so many of its conflicts, and at least so many, resolve by a union."""


@dataclass(frozen=True, slots=True)
class Side:
    """What one task declares, expanded on the tree that it starts from.

    `exact` are paths, `new` those of them that are not there yet. `folders` end in a slash; the
    task may write anything below. `sentence` is what it says that it produces.
    """

    exact: frozenset[str] = frozenset()
    folders: tuple[str, ...] = ()
    sentence: str = ""
    new: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class FileChance:
    """How probably two tasks conflict in one file, and how often two neighbours have met there."""

    path: str
    met: int
    conflicted: int
    probability: float
    mechanical: bool


@dataclass(frozen=True, slots=True)
class Chance:
    """How probably two tasks conflict at all, and where, the likeliest file first.

    `mechanical` is the probability of a conflict in mechanical files; `probability` leaves those
    out.
    """

    probability: float
    mechanical: float = 0.0
    files: tuple[FileChance, ...] = ()


def chance(past: Past, one: Side, other: Side) -> Chance:
    """Return how probably two tasks that start together conflict; it is the same both ways."""
    shared = (one.exact & other.exact) | _below(one, other) | _below(other, one)
    found = [_file_chance(past, path, new=path in one.new & other.new) for path in shared]
    found.sort(key=lambda file: (-file.probability, file.path))
    return Chance(
        _any(file.probability for file in found if not file.mechanical),
        _any(file.probability for file in found if file.mechanical),
        tuple(found),
    )


def _below(one: Side, other: Side) -> frozenset[str]:
    return frozenset(path for path in one.exact if path.startswith(other.folders or ("\0",)))


def _file_chance(past: Past, path: str, *, new: bool) -> FileChance:
    known, kind = past.files.get(path), past.kinds.get(kind_of(path))
    of_all = (past.conflicted + _OF_ALL * _FIRST_RATE) / (past.met + _OF_ALL)
    of_kind = _smooth(kind.conflicted, kind.met, of_all, _OF_ALL) if kind else of_all
    met, conflicted = (known.met, known.conflicted) if known else (0, 0)
    rate = _SURE if new else _smooth(conflicted, met, of_kind, _OF_KIND)
    resolved = known.mechanical if known else 0
    mechanical = resolved >= _MECHANICAL_LEAST and resolved >= _MECHANICAL_SHARE * conflicted
    return FileChance(path, met, conflicted, rate, mechanical)


def _smooth(hits: int, tries: int, prior: float, weight: float) -> float:
    return (hits + weight * prior) / (tries + weight)


def _any(probabilities: Iterable[float]) -> float:
    return 1 - math.prod(1 - probability for probability in probabilities)
