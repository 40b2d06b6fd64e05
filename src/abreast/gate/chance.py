"""How probably two tasks would conflict in text, by what their declared paths have been through."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from abreast.gate.features import features, pair_of
from abreast.gate.past import Past
from abreast.gate.region import Writer, meeting_places

_MECHANICAL_PRIOR = 3
"""A file is mechanical when most of its conflicts would have resolved by a union or a regeneration,
were three more seen that would not. In six histories that finds change logs, lock files and pinned
requirements, and no source file."""


@dataclass(frozen=True, slots=True)
class TaskSide:
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
    """How probably two tasks conflict, and where, the likeliest file first.

    `mechanical` is the probability of a conflict in mechanical files; `probability` leaves those
    out.
    """

    probability: float
    mechanical: float = 0.0
    files: tuple[FileChance, ...] = ()

    @property
    def anywhere(self) -> float:
        """The probability of a conflict in any file."""
        return 1 - (1 - self.probability) * (1 - self.mechanical)


def chance(past: Past, one: TaskSide, other: TaskSide) -> Chance:
    """Return how probably two tasks that start together conflict; it is the same both ways."""
    pair = pair_of(past, (one.exact, other.exact), (one.sentence, other.sentence))
    if one.folders or other.folders:  # how much they write is not known: as much as most do
        pair = replace(pair, few=1, many=4)
    first = Writer(one.exact, one.folders, pair.words[0])
    second = Writer(other.exact, other.folders, pair.words[1])
    found = []
    for path, both in meeting_places(past, first, second, pair.weights).items():
        row = features(past, path, pair, new=path in one.new | other.new)
        known = past.files.get(path)
        met, conflicted = (known.met, known.conflicted) if known else (0, 0)
        likely = both * past.model.probability(row)
        found.append(FileChance(path, met, conflicted, likely, is_mechanical(past, path)))
    found.sort(key=lambda file: (-file.probability, file.path))
    return altogether(found)


def altogether(files: Sequence[FileChance]) -> Chance:
    """Return what the files, the likeliest first, come to together."""
    return Chance(
        _any(file.probability for file in files if not file.mechanical),
        _any(file.probability for file in files if file.mechanical),
        tuple(files),
    )


def is_mechanical(past: Past, path: str) -> bool:
    """Return whether conflicts in a file resolve without thinking, as far as its past tells."""
    known = past.files.get(path)
    return known is not None and mostly(known.mechanical, known.conflicted)


def mostly(mechanical: int, conflicted: int) -> bool:
    """Return whether so many mechanical conflicts of all make a file a mechanical one."""
    return 2 * mechanical >= conflicted + _MECHANICAL_PRIOR


def _any(probabilities: Iterable[float]) -> float:
    return 1.0 - math.prod(1 - probability for probability in probabilities)
