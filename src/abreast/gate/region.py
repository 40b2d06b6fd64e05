"""Where two tasks can meet that declare folders: which of the files below they will probably write.

A folder says little: most tasks below it write other files. What helps is how often each file was
changed among those below, and whether its name, or what was done to it, is like the task.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from abreast.gate.past import Past, is_in
from abreast.gate.terms import likeness, name_terms

_MOST = 60  # files of a folder that are looked at: those that change most
_BY_NAME, _BY_WORDS = 1.0, 1.5
_LEAST = 1e-4


@dataclass(frozen=True, slots=True)
class Writer:
    """One task: the paths and folders that it declares, and the words of its sentence."""

    exact: frozenset[str]
    folders: tuple[str, ...]
    words: frozenset[str]

    def may_write(self, path: str) -> bool:
        """Return whether a path lies in what the task declares."""
        return path in self.exact or any(is_in(path, folder) for folder in self.folders)

    def shares(self, past: Past, weights: dict[str, float]) -> dict[str, float]:
        """Return how probably the task writes each file: 1 for a path, less below a folder."""
        found: dict[str, float] = {}
        for folder in self.folders:
            for path, part in past.hottest(folder, _MOST):
                share = self._share(past, path, part, weights)
                found[path] = max(share, found.get(path, 0.0))
        return found | dict.fromkeys(self.exact, 1.0)

    def _share(self, past: Past, path: str, part: float, weights: dict[str, float]) -> float:
        name = name_terms(path)
        named = len(name & self.words) / max(1, len(name))
        touches = past.files[path].last
        like = max((likeness(self.words, t.words, weights) for t in touches), default=0.0)
        part = min(max(part, _LEAST), 0.9)
        odds = math.log(part / (1 - part)) + _BY_NAME * named + _BY_WORDS * like
        return 1 / (1 + math.exp(-odds))


def meeting_places(
    past: Past, one: Writer, other: Writer, weights: dict[str, float]
) -> dict[str, float]:
    """Return the paths that both may write, with the probability that both do."""
    if not one.folders and not other.folders:
        return dict.fromkeys(one.exact & other.exact, 1.0)
    first, second = (side.shares(past, weights) for side in (one, other))
    return {
        path: first.get(path, _LEAST) * second.get(path, _LEAST)
        for path in _either(first, second)
        if one.may_write(path) and other.may_write(path)
    }


def _either(first: Iterable[str], second: Iterable[str]) -> frozenset[str]:
    return frozenset(first) | frozenset(second)
