"""Neighbouring changes replayed: could the later one have started where the earlier one did?

The later change is put onto the earlier one and onto its parent, by a three-way merge whose base is
the later one's own parent. That it goes onto one of them and not onto the other means that the two
are coupled by text. Nothing of it reaches the user's repository (`abreast.git.replay_place`).
"""

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import groupby

from abreast.git.replay_conflict import resolves_by_itself
from abreast.git.replay_listing import HistoryStep
from abreast.git.replay_merges import Merge, ReplayedMerge, merge_all
from abreast.git.replay_place import Place
from abreast.model.history import Meeting, MeetingOutcome

_PART = 150  # later changes a batch
_LARGEST = 2**20  # bytes of a conflicted file that is looked into
_AT_ONCE = 100  # conflicted files that are held in memory

Pair = tuple[int, int]
"""The places of an earlier and a later change in a list of steps, newest first."""


def replay(
    place: Place,
    steps: Sequence[HistoryStep],
    pairs: Iterable[Pair],
    *,
    unread: Collection[str] = (),
    tick: Callable[[int], None] = lambda _: None,
) -> Iterator[Meeting]:
    """Yield how each pair of `steps` (newest first) has met; `tick` gets the number of pairs done.

    Pairs are left out where something they need is missing: a parent that a shallow clone has cut
    off, or an object of the commits in `unread`. One merge that git cannot do costs only its pairs.
    """
    wanted = sorted({pair for pair in pairs if _readable(steps, pair, unread)}, key=_later)
    by_later = [list(group) for _, group in groupby(wanted, key=_later)]
    for at in range(0, len(by_later), _PART):
        part = [pair for group in by_later[at : at + _PART] for pair in group]
        yield from _replay_part(place, steps, part)
        tick(len(part))


def _later(pair: Pair) -> int:
    return pair[1]


def _readable(steps: Sequence[HistoryStep], pair: Pair, unread: Collection[str]) -> bool:
    earlier, later = pair
    if not 0 <= later < earlier < len(steps) - 1:
        return False
    return not any(step.id in unread for step in steps[later : earlier + 1])


def _replay_part(
    place: Place, steps: Sequence[HistoryStep], pairs: Sequence[Pair]
) -> Iterator[Meeting]:
    merges = {Merge(later, back) for earlier, later in pairs for back in _backs(earlier, later)}
    ordered = sorted(merges, key=lambda one: (one.later, one.back))
    # A change goes onto its own parent, which is one step back.
    merged = {Merge(later, 1): ReplayedMerge(clean=True) for _, later in pairs}
    merged |= merge_all(place, steps, [one for one in ordered if one.back > 1])
    coupled: list[tuple[Pair, ReplayedMerge]] = []
    for earlier, later in pairs:
        onto, under = (merged.get(Merge(later, back)) for back in _backs(earlier, later))
        if onto is None or under is None:
            continue
        if onto.clean != under.clean:
            coupled.append(((earlier, later), under if onto.clean else onto))
        else:
            outcome = MeetingOutcome.BOTH if onto.clean else MeetingOutcome.NEITHER
            yield Meeting(steps[earlier].id, steps[later].id, outcome)
    mechanical = _mechanical(place, [found for _, found in coupled])
    for (earlier, later), found in coupled:
        resolved = tuple(path for path in found.conflicted if (found.tree, path) in mechanical)
        ids = steps[earlier].id, steps[later].id
        yield Meeting(*ids, MeetingOutcome.ONE, found.conflicted, resolved)


def _backs(earlier: int, later: int) -> tuple[int, int]:
    return earlier - later, earlier - later + 1


def _mechanical(place: Place, found: Sequence[ReplayedMerge]) -> set[tuple[str, str]]:
    """Return the tree and path of each conflict that would have been resolved without thinking."""
    asked = sorted({(one.tree, p) for one in found for p in one.whole if "\n" not in p})
    resolved: set[tuple[str, str]] = set()
    for at in range(0, len(asked), _AT_ONCE):
        part = asked[at : at + _AT_ONCE]
        for key, text in zip(part, _contents(place, part), strict=True):
            if resolves_by_itself(text):
                resolved.add(key)
    return resolved


def _contents(place: Place, asked: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Yield the text of each file, "" where it is too large."""
    names = [f"{tree}:{path}" for tree, path in asked]
    shape = "--batch-check=%(objectname) %(objectsize)"
    sized = (line.split(" ") for line in place.read("cat-file", shape, stdin=names).splitlines())
    blobs = [one[0] if one[1].isdigit() and int(one[1]) <= _LARGEST else "" for one in sized]
    read = os.fsencode(place.read("cat-file", "--batch", stdin=[blob for blob in blobs if blob]))
    at = 0
    for blob in blobs:
        if not blob:
            yield ""
            continue
        head = read.index(b"\n", at)
        size = int(read[at:head].rpartition(b" ")[2])
        yield read[head + 1 : head + 1 + size].decode(errors="replace")
        at = head + size + 2
