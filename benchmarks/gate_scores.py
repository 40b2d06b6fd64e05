"""How good a ranking and its probabilities are, with intervals."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

ROUNDS = 100
BLOCK = 20
"""Tasks that are drawn together: their pairs are not independent of each other."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One pair: what was said (`score`), what happened, and the earlier task's number."""

    task: int
    score: float
    hit: bool


@dataclass(frozen=True, slots=True)
class Ranking:
    """Average precision, and the precision where so much of all that conflicts is found."""

    average: float
    at: tuple[float, ...]
    base: float  # share of all pairs that conflict


RECALLS = (0.5, 0.8, 0.9)


def ranking(pairs: Sequence[Judged]) -> Ranking:
    """Return how well the scores rank; pairs of one score are found together."""
    hits = sum(pair.hit for pair in pairs)
    if not hits:
        return Ranking(0.0, (0.0,) * len(RECALLS), 0.0)
    found = seen = 0
    average = 0.0
    at: list[float] = []
    ordered = sorted(pairs, key=lambda pair: -pair.score)
    for _, group in groupby(ordered, key=lambda pair: pair.score):
        before = found
        for pair in group:
            seen += 1
            found += pair.hit
        average += (found - before) / hits * found / seen
        while len(at) < len(RECALLS) and found >= RECALLS[len(at)] * hits:
            at.append(found / seen)
    return Ranking(average, tuple(at), hits / len(pairs))


@dataclass(frozen=True, slots=True)
class Calibration:
    """Brier skill over the base rate, the expected error, and a table of said and happened."""

    skill: float
    error: float
    table: tuple[tuple[float, float, int], ...]


def calibration(pairs: Sequence[Judged], bins: int = 10) -> Calibration:
    """Return how true the probabilities are, in bins of as many pairs each."""
    ordered = sorted(pairs, key=lambda pair: pair.score)
    rate = sum(pair.hit for pair in ordered) / max(1, len(ordered))
    brier = sum((pair.score - pair.hit) ** 2 for pair in ordered)
    plain = sum((rate - pair.hit) ** 2 for pair in ordered)
    table = []
    for number in range(bins):
        part = ordered[len(ordered) * number // bins : len(ordered) * (number + 1) // bins]
        if part:
            said = sum(pair.score for pair in part) / len(part)
            table.append((said, sum(pair.hit for pair in part) / len(part), len(part)))
    error = sum(abs(said - was) * n for said, was, n in table) / max(1, len(ordered))
    return Calibration(1 - brier / plain if plain else 0.0, error, tuple(table))


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over repositories, and the middle 90 % of what other tasks might have given."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:.2f} [{self.low:.2f}, {self.high:.2f}]"


Statistic = Callable[[Sequence[int]], tuple[float, ...]]
"""Of one repository, for the tasks (by number, some several times) that were drawn."""


def intervals(
    tasks: Sequence[Sequence[int]], statistics: Sequence[Statistic]
) -> tuple[Interval, ...]:
    """Return the means of statistics over repositories, by a bootstrap of blocks of tasks."""
    chance = random.Random(1)
    whole = _means([one(all_) for one, all_ in zip(statistics, tasks, strict=True)])
    drawn = []
    for _ in range(ROUNDS):
        values = []
        for one, all_ in zip(statistics, tasks, strict=True):
            blocks = [all_[at : at + BLOCK] for at in range(0, len(all_), BLOCK)]
            picked = [task for block in chance.choices(blocks, k=len(blocks)) for task in block]
            values.append(one(picked))
        drawn.append(_means(values))
    columns = [sorted(column) for column in zip(*drawn, strict=True)]
    cut = ROUNDS // 20
    return tuple(
        Interval(mean, column[cut], column[-1 - cut])
        for mean, column in zip(whole, columns, strict=True)
    )


def _means(values: Sequence[tuple[float, ...]]) -> list[float]:
    return [sum(column) / len(column) for column in zip(*values, strict=True)]
