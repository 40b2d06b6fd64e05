"""Which paths a task will probably write, by its words and what the history says of them."""

from dataclasses import dataclass

from abreast.gate.past import Past
from abreast.model.gate import PredictedPath


@dataclass(frozen=True, slots=True)
class Hits:
    """What an index has found for a task's words, with a score each, the higher the better.

    `paths` are paths of the tree by their own words; `changes` are the paths that a past change
    has touched, whose subject is like the task's.
    """

    paths: tuple[tuple[str, float], ...] = ()
    changes: tuple[tuple[tuple[str, ...], float], ...] = ()


def predict(past: Past, hits: Hits, limit: int = 10) -> tuple[PredictedPath, ...]:
    """Return the paths that a task will probably write, the likeliest first."""
    votes: dict[str, float] = {}
    for path, score in hits.paths:
        votes[path] = votes.get(path, 0.0) + score
    for paths, score in hits.changes:
        for path in paths:
            votes[path] = votes.get(path, 0.0) + score / len(paths)
    for path in votes:  # a file that changes often is the likelier one of two that fit alike
        if known := past.files.get(path):
            votes[path] *= 1 + known.changes / (1 + past.changes)
    most = max(votes.values(), default=0.0)
    ranked = sorted(votes, key=lambda path: (-votes[path], path))[:limit]
    return tuple(PredictedPath(path, 0.5 * votes[path] / most) for path in ranked if most > 0)
