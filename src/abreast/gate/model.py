"""From features to a probability: a logistic regression that goes on learning from a history.

It begins with the weights that ship with abreast. Each pair of neighbours in the repository's own
past whose outcome is known moves them, by one step of a Kalman filter on the log-odds (the Laplace
approximation of the posterior, Spiegelhalter and Lauritzen 1990).
"""

import math
from dataclasses import dataclass, field

from abreast.gate.weights import BIAS, MEANS, SCALES, WEIGHTS

Row = tuple[float, ...]
"""What is known of one file that two tasks write (`abreast.gate.features`)."""

NAMES = (
    "new",  # it is not there yet: both would make it, or one would change what the other makes
    "own",  # rate of conflicts of neighbours that met in it, older ones fading
    "kind",  # the same of all files of its kind
    "lines",  # share of its last changes that met another one's lines
    "place",  # the same, where changes count the more, the more they are like the two tasks
    "alike",  # how alike the two sentences are
    "heat",  # share of the last changes to the repository that touched it
    "size",  # of the file, in bytes
    "few",  # paths that only the task with fewer of those has
    "many",  # paths that only the other one has
    "shared",  # paths that both have
    "named",  # how much of its name is in one of the sentences
    "pieces",  # places that a change to it touches
    "top",  # it lies at the top of the repository, where manifests and change logs do
)

VARIANCE = 0.03
"""How far the weights of one repository lie from those of others, squared; fitted with them."""

_RISING, _FALLING = ("shared",), ("few", "many")
"""One more path that both have never makes a conflict less likely: these keep their signs."""

_UP = tuple(1 + NAMES.index(name) for name in _RISING)
_DOWN = tuple(1 + NAMES.index(name) for name in _FALLING)
_SIZE = 1 + len(NAMES)


def _start() -> list[list[float]]:
    return [[VARIANCE * (at == to) for to in range(_SIZE)] for at in range(_SIZE)]


@dataclass(slots=True)
class Model:
    """The weights, the bias first, and how uncertain they are."""

    weights: list[float] = field(default_factory=lambda: [BIAS, *WEIGHTS])
    spread: list[list[float]] = field(default_factory=_start)

    def probability(self, row: Row) -> float:
        """Return the probability of a conflict."""
        return _probability(self.weights, _scaled(row))

    def learn(self, row: Row, conflicted: bool) -> None:
        """Take note of one file that two neighbours have met in."""
        inputs = _scaled(row)
        expected = _probability(self.weights, inputs)
        slope = max(expected * (1 - expected), 1e-3)
        reach = [sum(map(float.__mul__, line, inputs)) for line in self.spread]
        gain = 1 / (1 / slope + sum(map(float.__mul__, reach, inputs)))
        # The linearised observation has the variance 1/slope.
        step = (conflicted - expected) / slope * gain
        for at, part in enumerate(reach):
            self.weights[at] += step * part
            line = self.spread[at]
            for to, other in enumerate(reach):
                line[to] -= gain * part * other
        for at in _UP:
            self.weights[at] = max(0.0, self.weights[at])
        for at in _DOWN:
            self.weights[at] = min(0.0, self.weights[at])


def _scaled(row: Row) -> list[float]:
    return [1.0, *((x - mean) / scale for x, mean, scale in zip(row, MEANS, SCALES, strict=True))]


def _probability(weights: list[float], inputs: list[float]) -> float:
    odds = sum(map(float.__mul__, weights, inputs))
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, odds))))
