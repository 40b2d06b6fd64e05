"""Waves: which tasks may run side by side when coupled ones must not.

What a task needs, and what it is to come after, are given. A coupled pair is put in sequence: the
task that the other refers to first, else the one that more of the coupled tasks wait for.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

_NODES = 20_000
"""How many ways to place a task are tried for fewer waves, before what was found has to do."""


@dataclass(frozen=True)
class Coupling:
    """A pair that must not run side by side. `before` names one of them, or is "" for either."""

    first: str
    second: str
    before: str = ""


@dataclass(frozen=True)
class Arrangement:
    """The waves, and for each coupling that asks for one the edge from earlier to later."""

    waves: tuple[tuple[str, ...], ...]
    edges: tuple[tuple[str, str], ...]


def arrange(
    order: Sequence[str],
    given: Mapping[str, Iterable[str]],
    couplings: Sequence[Coupling],
) -> Arrangement:
    """Put tasks in waves.

    `order` are all tasks as the plan has them, `given` what each has to wait for in any case, which
    is no cycle. Couplings come with the weightiest first: a direction that would make a cycle with
    those before it is turned round. The waves are the fewest that are found, and at most one more
    than necessary for plans of a usual size.
    """
    waits = {task: set(given.get(task, ())) & set(order) for task in order}
    for one in couplings:
        if one.before:
            later = one.second if one.before == one.first else one.first
            if not _reaches(waits, one.before, later):
                waits[later].add(one.before)
    apart: dict[str, set[str]] = {task: set() for task in order}
    for one in couplings:
        if not (_ordered(waits, one)):
            apart[one.first].add(one.second)
            apart[one.second].add(one.first)
    level = _Graph(order, waits, apart).levels()
    edges = []
    for one in couplings:
        earlier, later = sorted((one.first, one.second), key=lambda task: level[task])
        waits[later].add(earlier)
        edges.append((earlier, later))
    level = _depths(order, waits)
    count = max(level.values(), default=-1) + 1
    waves = tuple(tuple(t for t in order if level[t] == number) for number in range(count))
    return Arrangement(waves, tuple(edges))


def _reaches(waits: Mapping[str, Iterable[str]], later: str, earlier: str) -> bool:
    """Return whether `later` waits for `earlier`, through others or not."""
    seen, left = {later}, [later]
    while left:
        for task in waits.get(left.pop(), ()):
            if task == earlier:
                return True
            if task not in seen:
                seen.add(task)
                left.append(task)
    return False


def _ordered(waits: Mapping[str, Iterable[str]], one: Coupling) -> bool:
    return _reaches(waits, one.first, one.second) or _reaches(waits, one.second, one.first)


def _depths(order: Sequence[str], waits: Mapping[str, Iterable[str]]) -> dict[str, int]:
    """Return for each task how many others must have ended one after another before it."""
    depth: dict[str, int] = {}
    while len(depth) < len(order):
        ready = [t for t in order if t not in depth and all(w in depth for w in waits[t])]
        if not ready:
            raise ValueError("the tasks wait for each other in a circle")
        depth |= {t: 1 + max((depth[w] for w in waits[t]), default=-1) for t in ready}
    return depth


class _Graph:
    """What waits for what, and which tasks are to be kept apart: into as few waves as can be."""

    def __init__(
        self,
        order: Sequence[str],
        waits: Mapping[str, set[str]],
        apart: Mapping[str, set[str]],
    ) -> None:
        self._order, self._waits, self._apart = order, waits, apart
        followers: dict[str, set[str]] = {task: set() for task in order}
        for task in order:
            for earlier in waits[task]:
                followers[earlier].add(task)
        # The longest chain that begins with each task.
        self._tails = {task: 1 + depth for task, depth in _depths(order, followers).items()}
        self._left = _NODES

    def levels(self) -> dict[str, int]:
        """Return the wave of each task, so that those to be kept apart are in different ones."""
        found = self._greedy()
        least = max(max(self._tails.values(), default=0), self._clique())
        while (most := 1 + max(found.values(), default=0)) > least + 1:
            better = self._search(most - 1)
            if better is None:
                break
            found = better
        return found

    def _rank(self, task: str) -> tuple[int, int, int]:
        """What the longest chains and most couplings wait for comes first."""
        return -self._tails[task], -len(self._apart[task]), self._order.index(task)

    def _greedy(self) -> dict[str, int]:
        """Fill one wave after another."""
        level: dict[str, int] = {}
        ranked = sorted(self._order, key=self._rank)
        number = 0
        while len(level) < len(ranked):
            wave: set[str] = set()
            for task in ranked:
                ended = all(w in level and w not in wave for w in self._waits[task])
                if task not in level and ended and not self._apart[task] & wave:
                    wave.add(task)
                    level[task] = number
            number += 1
        return level

    def _clique(self) -> int:
        """Return the size of a large group of tasks of which each pair is to be kept apart."""
        best = 0
        for task in self._order:
            group = {task}
            for other in sorted(self._apart[task], key=self._rank):
                if group <= self._apart[other]:
                    group.add(other)
            best = max(best, len(group))
        return best

    def _search(self, most: int) -> dict[str, int] | None:
        """Return at most `most` waves; None if there are none, or they were not found in time."""
        depths = _depths(self._order, self._waits)
        ranked = sorted(self._order, key=lambda task: (depths[task], self._rank(task)))
        level: dict[str, int] = {}

        def place(at: int) -> bool:
            if at == len(ranked):
                return True
            task = ranked[at]
            first = 1 + max((level[earlier] for earlier in self._waits[task]), default=-1)
            for number in range(first, most - self._tails[task] + 1):
                self._left -= 1
                if self._left < 0:
                    return False
                if all(level.get(other) != number for other in self._apart[task]):
                    level[task] = number
                    if place(at + 1):
                        return True
                    del level[task]
            return False

        return dict(level) if place(0) else None
