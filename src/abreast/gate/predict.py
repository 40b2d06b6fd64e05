"""Which paths a task will probably write, by its words and what the history says of them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from abreast.gate.past import Past
from abreast.model.gate import PredictedPath

RANKED = 30
"""Paths that are taken from a plain ranking of all that is known of each file."""

_HALF = 600  # commits after which a change counts half as much
_HOT = 50  # paths that are hot enough to be written whatever the task says

# A logistic regression over five histories (httpx, trio, flask, pre-commit, poetry).
_BIAS, _BY_NAME, _BY_CHANGES, _BY_HEAT, _BY_RANK = -1.97, 1.09, 1.90, 0.62, 2.51

# Where one file defines a name that a commit's subject speaks of, 77 % of those commits change it;
# of two or three files each one is changed by 41 % (six histories, 212 names).
_BY_DEFINITION, _BY_MORE = 4.5, 1.4


@dataclass(frozen=True, slots=True)
class Hits:
    """What an index has found for a task's words, with a score each, the higher the better.

    `paths` are paths of the tree by their own words; `changes` are the paths that a past change
    has touched, whose subject is like the task's, and how many commits ago. `ranked` are the paths
    that fit best by their own words and those of all changes to them, the best first. `defining`
    are the paths that define a name in code which the task speaks of, each with how many do.
    """

    paths: tuple[tuple[str, float], ...] = ()
    changes: tuple[tuple[tuple[str, ...], float, int], ...] = ()
    ranked: tuple[str, ...] = ()
    defining: Mapping[str, int] = field(default_factory=dict)


def predict(past: Past, hits: Hits, limit: int = 10) -> tuple[PredictedPath, ...]:
    """Return the paths that a task will probably write, the likeliest first."""
    found = {
        path: _probability(past, path, *scores, defining=hits.defining.get(path))
        for path, scores in evidence(past, hits).items()
    }
    ranked = sorted(found, key=lambda path: (-found[path], path))[:limit]
    return tuple(PredictedPath(path, found[path]) for path in ranked)


def evidence(past: Past, hits: Hits) -> dict[str, tuple[float, float, float]]:
    """Return what speaks for each path, 0-1: its name, changes like the task, its rank."""
    best = max((score for _, score in hits.paths), default=0.0) or 1.0
    by_name = {path: score / best for path, score in hits.paths}
    votes: dict[str, float] = {}
    for paths, score, age in hits.changes:
        weight = score * 0.5 ** (age / _HALF)
        for path in paths:
            votes[path] = votes.get(path, 0.0) + weight / (1 + math.log(len(paths)))
    most = max(votes.values(), default=0.0) or 1.0
    by_rank = {path: 1 / (1 + rank) for rank, path in enumerate(hits.ranked)}
    hot = [path for path, _ in past.hottest("", _HOT)] if by_name or votes or by_rank else []
    return {
        path: (by_name.get(path, 0.0), votes.get(path, 0.0) / most, by_rank.get(path, 0.0))
        for path in {*by_name, *votes, *by_rank, *hot, *hits.defining}
    }


def _probability(
    past: Past, path: str, name: float, changes: float, rank: float, *, defining: int | None
) -> float:
    heat = math.log(0.002 + past.heat(path))
    odds = _BIAS + _BY_NAME * name + _BY_CHANGES * changes + _BY_HEAT * heat + _BY_RANK * rank
    if defining:
        odds += _BY_DEFINITION - _BY_MORE * math.log(defining)
    return 1 / (1 + math.exp(-odds))
