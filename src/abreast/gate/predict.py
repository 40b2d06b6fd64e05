"""Which paths a task will probably write, by its words and what the history says of them."""

import math
from dataclasses import dataclass

from abreast.gate.past import Past
from abreast.model.gate import PredictedPath

_HALF = 600  # commits after which a change counts half as much
_BIAS, _BY_NAME, _BY_CHANGES, _BY_HEAT = -6.0, 2.0, 4.0, 0.8
_HOT = 50  # paths that are hot enough to be written whatever the task says


@dataclass(frozen=True, slots=True)
class Hits:
    """What an index has found for a task's words, with a score each, the higher the better.

    `paths` are paths of the tree by their own words; `changes` are the paths that a past change
    has touched, whose subject is like the task's, and how many commits ago.
    """

    paths: tuple[tuple[str, float], ...] = ()
    changes: tuple[tuple[tuple[str, ...], float, int], ...] = ()


def predict(past: Past, hits: Hits, limit: int = 10) -> tuple[PredictedPath, ...]:
    """Return the paths that a task will probably write, the likeliest first."""
    found = {
        path: _probability(past, path, *scores) for path, scores in evidence(past, hits).items()
    }
    ranked = sorted(found, key=lambda path: (-found[path], path))[:limit]
    return tuple(PredictedPath(path, found[path]) for path in ranked)


def evidence(past: Past, hits: Hits) -> dict[str, tuple[float, float]]:
    """Return for each path how well its name fits, and what changes like the task touched it, 0-1.

    A path that is not in the tree, which a past change has touched, is left out.
    """
    best = max((score for _, score in hits.paths), default=0.0) or 1.0
    by_name = {path: score / best for path, score in hits.paths}
    votes: dict[str, float] = {}
    whole = 0.0
    for paths, score, age in hits.changes:
        weight = score * 0.5 ** (age / _HALF)
        whole = max(whole, weight)
        for path in paths:
            votes[path] = votes.get(path, 0.0) + weight / (1 + math.log(len(paths)))
    most = max(votes.values(), default=0.0) or 1.0
    hot = [path for path, _ in past.hottest("", _HOT)] if hits.paths or votes else []
    return {
        path: (by_name.get(path, 0.0), votes.get(path, 0.0) / most)
        for path in {*by_name, *votes, *hot}
    }


def _probability(past: Past, path: str, name: float, changes: float) -> float:
    heat = math.log(0.002 + past.heat(path))
    odds = _BIAS + _BY_NAME * name + _BY_CHANGES * changes + _BY_HEAT * (heat + 6)
    return 1 / (1 + math.exp(-odds))
