"""Conflicts among lines of work that change all the time: what is known is not merged again.

Git is asked only about pairs of which one side, or the target, has changed since, and whose changes
meet. What a pair came to is known by its commits; those of work that goes on are made of its tree
and its base alone (`abreast.git.collide.commit_on`), so the same work has the same commit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from abreast.git.collide import (
    Collisions,
    ConflictSide,
    TargetClash,
    contained,
    find_collisions,
)
from abreast.git.footprint import Footprint, footprints
from abreast.git.merge import Clash
from abreast.git.repository import Repository

_Paths = tuple[str, ...]


@dataclass
class KnownCollisions:
    """What has been found out of the sides of one target, as of the last call."""

    _target: str = ""
    _prints: dict[tuple[str, str], Footprint] = field(default_factory=dict)
    _held: dict[str, bool] = field(default_factory=dict)
    _pairs: dict[tuple[str, str], _Paths] = field(default_factory=dict)
    _behind: dict[str, _Paths] = field(default_factory=dict)

    def find(
        self, repo: Repository, sides: Sequence[ConflictSide], target: str, env: Mapping[str, str]
    ) -> Collisions:
        """Return what `abreast.git.collide.find_collisions` does."""
        if target != self._target:
            self._target, self._held, self._pairs, self._behind = target, {}, {}, {}
        self._forget(sides, target)
        self._read(repo, sides, target, env)
        displaced = {side.name for side in sides if self._meets_target(side, target)}
        loose = {side.name for side in sides if side.base != target and not self._held[side.base]}
        pairs = {
            (one.name, other.name): (one.tip, other.tip)
            for one, other in combinations(sides, 2)
            if (one.tip, other.tip) not in self._pairs
            and self._could_clash(one, other, displaced, loose)
        }
        behind = [side for side in sides if side.name in displaced and side.tip not in self._behind]
        asked = {name for pair in pairs for name in pair} | {side.name for side in behind}
        if asked:
            some = [side for side in sides if side.name in asked]
            found = find_collisions(repo, some, target, env=env, pairs=pairs)
            clashes = {(one.one, one.other): one.paths for one in found.pairs}
            self._pairs |= {tips: clashes.get(names, ()) for names, tips in pairs.items()}
            told = {one.name: one.paths for one in found.target}
            self._behind |= {side.tip: told.get(side.name, ()) for side in some}
        return self._known(sides)

    def _could_clash(
        self, one: ConflictSide, other: ConflictSide, displaced: set[str], loose: set[str]
    ) -> bool:
        """May err towards yes: what the target has touched may lie elsewhere now (renames)."""
        moved = sum(side.name in displaced for side in (one, other))
        apart = one.base != other.base
        if moved == 2 or (apart and (moved or one.name in loose or other.name in loose)):
            return one.tip != other.tip
        if self._prints[one.base, one.tip].meets(self._prints[other.base, other.tip]):
            return True
        self._pairs[one.tip, other.tip] = ()
        return False

    def _meets_target(self, side: ConflictSide, target: str) -> bool:
        if side.base == target or not self._held[side.base]:
            return False
        return self._prints[side.base, side.tip].meets(self._prints[side.base, target])

    def _read(
        self, repo: Repository, sides: Sequence[ConflictSide], target: str, env: Mapping[str, str]
    ) -> None:
        """Find out which commits the sides began at the target has, and what each side touches."""
        bases = {side.base for side in sides if side.base != target}
        fresh = bases - self._held.keys()
        held = contained(repo, fresh, target, env)
        self._held |= {base: base in held for base in fresh}
        wanted = [(side.base, side.tip) for side in sides]
        for base in bases:
            if self._held[base] and (base, target) not in self._prints:
                found = footprints(repo, {target: base}, env)
                self._prints[base, target] = found[target]
        missing = {tip: base for base, tip in wanted if (base, tip) not in self._prints}
        for tip, found_print in footprints(repo, missing, env).items():
            self._prints[missing[tip], tip] = found_print

    def _forget(self, sides: Sequence[ConflictSide], target: str) -> None:
        tips = {side.tip for side in sides}
        bases = {side.base for side in sides}
        self._prints = {
            (base, tip): known
            for (base, tip), known in self._prints.items()
            if base in bases and tip in {*tips, target}
        }
        self._pairs = {pair: paths for pair, paths in self._pairs.items() if tips.issuperset(pair)}
        self._behind = {tip: paths for tip, paths in self._behind.items() if tip in tips}

    def _known(self, sides: Sequence[ConflictSide]) -> Collisions:
        pairs = (
            Clash(one.name, other.name, paths)
            for one, other in combinations(sides, 2)
            if (paths := self._pairs.get((one.tip, other.tip), ()))
        )
        behind = (
            TargetClash(side.name, paths)
            for side in sides
            if (paths := self._behind.get(side.tip, ()))
        )
        return Collisions(tuple(pairs), tuple(behind))
