"""A repository's history read, replayed and put into the index: what is new since the last time.

All else comes from the cache.
"""

from collections.abc import Mapping, Sequence

from abreast.gate.past import Past
from abreast.gate.study import study
from abreast.gate.terms import terms
from abreast.git.replay import replay
from abreast.git.replay_listing import HistoryStep, list_steps, read_changes, read_names
from abreast.git.replay_place import Place, replay_place
from abreast.git.repository import Repository
from abreast.model.gate import GateProgress
from abreast.model.history import WINDOW, Change, ChangedFile, ChangeHistory, Meeting, is_task
from abreast.store.gate_cache import GateCache
from abreast.store.gate_index import GateIndex

REPLAYED = 1500
"""Commits of the first-parent history that are replayed: more add little and take time."""

INDEXED = 6000
"""Commits whose subjects and paths are in the index."""


def read_past(
    repo: Repository, base: str, cache: GateCache, index: GateIndex, progress: GateProgress
) -> tuple[Past, tuple[str, ...]]:
    """Return the past of `base`, and the changes that the index then has, newest first."""
    with replay_place(repo) as place:
        steps = list_steps(place, base, INDEXED)
        ids = [step.id for step in steps]
        replayed = steps[: REPLAYED + 1]
        changes, unread = _changes(place, ids[: len(replayed)], cache, progress)
        meetings = _meetings(place, replayed, changes, unread, cache=cache, progress=progress)
        progress("what the history says", 0, 1)
        known = tuple(changes[step.id] for step in replayed)
        past = study(ChangeHistory(known, tuple(meetings)))
        _index(place, ids, changes, index, progress)
    return past, tuple(ids)


def _changes(
    place: Place, ids: Sequence[str], cache: GateCache, progress: GateProgress
) -> tuple[dict[str, Change], set[str]]:
    known, unread = cache.changes(ids)
    missing = [one for one in ids if one not in known]
    for at in range(0, len(missing), 500):
        progress("reading changes", at, len(missing))
        listing = read_changes(place, missing[at : at + 500])
        cache.add_changes(listing.changes, listing.unread)
        known |= {change.id: change for change in listing.changes}
        unread |= listing.unread
    return known, unread


def _meetings(
    place: Place,
    steps: Sequence[HistoryStep],
    changes: dict[str, Change],
    unread: set[str],
    *,
    cache: GateCache,
    progress: GateProgress,
) -> list[Meeting]:
    """Return how neighbours that share a path have met; the new ones are replayed and kept."""
    known = cache.meetings([step.id for step in steps])
    wanted = [
        (earlier, later)
        for later in range(len(steps))
        for earlier in range(later + 1, min(later + 1 + WINDOW, len(steps)))
        if _are_neighbours(changes[steps[earlier].id], changes[steps[later].id])
    ]
    ids = {pair: (steps[pair[0]].id, steps[pair[1]].id) for pair in wanted}
    missing = [pair for pair in wanted if ids[pair] not in known]
    for at in range(0, len(missing), 500):
        progress("replaying neighbours", at, len(missing))
        part = missing[at : at + 500]
        met = list(replay(place, steps, part, unread=unread))
        asked = [ids[pair] for pair in part if pair[0] < len(steps) - 1]
        cache.add_meetings(asked, met)
        known |= {(one.earlier, one.later): one for one in met}
    return [found for pair in wanted if (found := known.get(ids[pair]))]


def _are_neighbours(one: Change, other: Change) -> bool:
    return is_task(one) and is_task(other) and not one.paths.isdisjoint(other.paths)


def _index(
    place: Place,
    ids: Sequence[str],
    changes: Mapping[str, Change],
    index: GateIndex,
    progress: GateProgress,
) -> None:
    """Put the changes into the index that it does not have; `changes` need not be read again."""
    missing = index.missing(ids)[::-1]
    for at in range(0, len(missing), 500):
        progress("indexing changes", at, len(missing))
        part = missing[at : at + 500]
        unread = [one for one in part if one not in changes]
        read = {one.id: one for one in read_names(place, unread)}
        index.add_changes(for_index(changes.get(one) or read[one]) for one in part)


def for_index(change: Change) -> tuple[str, str, dict[str, str]]:
    """Return a change as the index takes it: its words, and those that stand above its hunks.

    What is no task has words, and no paths.
    """
    files = sorted(change.files, key=lambda file: file.path) if is_task(change) else []
    paths = {file.path: " ".join(_inside(file)) for file in files}
    return change.id, " ".join(terms(change.subject)), paths


def _inside(file: ChangedFile) -> list[str]:
    return list(dict.fromkeys(terms(" ".join(hunk.inside for hunk in file.hunks))))
