"""In which order a target's queue lands what waits in it, and why."""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from abreast.errors import GitError, NotFoundError
from abreast.git.changes import diffstat
from abreast.git.collide import ConflictSide, find_collisions
from abreast.git.repository import Repository, resolve
from abreast.model.landing import QueuePlace
from abreast.model.session import LandOrder, Session
from abreast.model.text import counted


@dataclass(frozen=True)
class Waiting:
    """A session that waits to land. `conflicts` are others that wait and do not merge with it.

    `lines` are those that it adds and deletes.
    """

    id: str
    waits_for: frozenset[str] = frozenset()  # ids of sessions
    conflicts: frozenset[str] = field(default=frozenset())
    lines: int = 0


def in_order(waiting: Sequence[Waiting], order: LandOrder = LandOrder.FIT) -> list[QueuePlace]:
    """Return the places of these sessions, given as their plans have them, older runs first.

    Each comes after those it waits for. Of the others, the next one is that with the fewest
    conflicts with those still waiting, then the smallest, then the first as given.
    """
    if len(waiting) == 1:
        return [QueuePlace(waiting[0].id, "nothing else waits to land")]
    rest, places = list(waiting), list[QueuePlace]()
    while rest:
        left = {one.id for one in rest}
        # A circle cannot be: plans are checked. Should there be one, the plan's order decides.
        ready = [one for one in rest if left.isdisjoint(one.waits_for)] or rest
        if order is LandOrder.AS_GIVEN:
            chosen = ready[0]
        else:
            chosen = min(ready, key=lambda one: (len(one.conflicts & left), one.lines))
        rest.remove(chosen)
        places.append(QueuePlace(chosen.id, _why(chosen, left, order)))
    return places


def _why(one: Waiting, left: set[str], order: LandOrder) -> str:
    after = f"after {', '.join(sorted(one.waits_for))}; " if one.waits_for else ""
    if order is LandOrder.AS_GIVEN:
        return f"{after}as given"
    with_whom = sorted(one.conflicts & left)
    names = ", ".join(with_whom[:3]) + (" …" if len(with_whom) > 3 else "")
    clash = f"conflicts with {names}" if with_whom else "no conflict"
    return f"{after}{clash}, {counted(one.lines, 'changed line')}"


def look_at(repository: Repository, sessions: Sequence[Session], target: str) -> list[Waiting]:
    """Return what the order of these sessions depends on, each with a commit in `repository`.

    They are to land on the branch `target`. Of a single one nothing is looked up.

    Where git cannot tell (an object is missing, it is too old), nothing counts as a conflict.
    """
    if len(sessions) < 2:
        return [Waiting(one.id) for one in sessions]
    clashes = _clashes(repository, sessions, target)
    known = {one.id for one in sessions}
    return [
        Waiting(
            one.id,
            frozenset(f"{one.run}/{task}" for task in one.waits_for) & known,
            clashes[one.id],
            _lines(repository, one),
        )
        for one in sessions
    ]


def _lines(repository: Repository, session: Session) -> int:
    try:
        stats = diffstat(repository, session.base_sha, session.commit)
    except GitError:
        return 0
    return sum((stat.added or 0) + (stat.deleted or 0) for stat in stats)


def _clashes(
    repository: Repository, sessions: Sequence[Session], target: str
) -> Mapping[str, frozenset[str]]:
    found: dict[str, set[str]] = {one.id: set() for one in sessions}
    sides = [ConflictSide(one.id, one.base_sha, one.commit) for one in sessions]
    with contextlib.suppress(GitError, NotFoundError):
        tip = resolve(repository, f"refs/heads/{target}")
        for clash in find_collisions(repository, sides, tip).pairs:
            found[clash.one].add(clash.other)
            found[clash.other].add(clash.one)
    return {name: frozenset(others) for name, others in found.items()}
