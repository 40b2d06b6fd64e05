"""What a repository's history tells the gate: read, replayed, kept, and digested.

What is new since the last check is read and replayed; all else comes from the cache.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from abreast.errors import GitError, StoreError
from abreast.gate.past import Past
from abreast.gate.predict import RANKED, Hits, predict
from abreast.gate.study import study
from abreast.gate.terms import terms
from abreast.gate.weights import BIAS, WEIGHTS
from abreast.git.replay import replay
from abreast.git.replay_listing import HistoryStep, list_steps, read_changes, read_names
from abreast.git.replay_place import Place, replay_place
from abreast.git.repository import Repository
from abreast.model.gate import GateProgress, PredictedPath
from abreast.model.history import WINDOW, Change, ChangeHistory, Meeting, is_task
from abreast.places import Places
from abreast.store.gate_cache import GateCache, open_gate_cache
from abreast.store.gate_index import BY_ALL, BY_NAME, GateIndex

REPLAYED = 1500
"""Commits of the first-parent history that are replayed: more add little and take time."""

INDEXED = 6000
"""Commits whose subjects and paths are in the index."""


@dataclass(frozen=True)
class KnownPast:
    """What is known at the base commit. `notes` say what could not be looked at."""

    past: Past
    index: GateIndex
    ages: dict[str, int]
    tree: frozenset[str]
    notes: tuple[str, ...] = ()

    def predict(self, text: str, limit: int = 10) -> tuple[PredictedPath, ...]:
        """Return the paths that a task will probably write, by its id, sentence and prompt."""
        words = terms(text)
        return predict(self.past, look_up(self.index, words, self.ages, self.tree), limit)


@contextmanager
def known_past(
    repo: Repository, base: str, paths: Sequence[str], places: Places, progress: GateProgress
) -> Iterator[KnownPast]:
    """Yield what the history of `base` tells; `paths` are the files of its tree.

    Without a commit, or without a history that can be read, it knows little and says so. Nothing in
    the repository changes.
    """
    file = places.state / "gate" / f"{repo.lock(Path()).stem}.db"
    with _cache(file) as cache:
        index = GateIndex(cache.connection)
        index.set_paths(paths, lambda path: " ".join(terms(path)))
        try:
            past, ages = _read(repo, base, cache, index, progress)
        except GitError as error:
            note = f"the history could not be read, so it says nothing: {error.message}"
            yield KnownPast(Past(), index, {}, frozenset(paths), (note,))
            return
        yield KnownPast(past, index, ages, frozenset(paths))


@contextmanager
def _cache(file: Path) -> Iterator[GateCache]:
    """Yield the cache in `file`, or one in memory where the file cannot be used."""
    with ExitStack() as stack:
        try:
            cache = stack.enter_context(open_gate_cache(file))
        except StoreError:
            cache = stack.enter_context(open_gate_cache(None))
        yield cache


def look_up(
    index: GateIndex, words: Sequence[str], ages: dict[str, int], tree: Collection[str]
) -> Hits:
    """Return what the index finds for these words in the history of one commit, and in its tree.

    `ages` are how many commits lie behind each change; others are of another branch.
    """
    changes = (
        (tuple(path for path in one.paths if path in tree), one.score, ages[one.id])
        for one in index.find_changes(words)
        if one.id in ages
    )
    return Hits(
        tuple(index.find_paths(words, BY_NAME)),
        tuple(one for one in changes if one[0]),
        tuple(path for path, _ in index.find_paths(words, BY_ALL, RANKED)),
    )


def _read(
    repo: Repository, base: str, cache: GateCache, index: GateIndex, progress: GateProgress
) -> tuple[Past, dict[str, int]]:
    if not base:
        return Past(), {}
    with replay_place(repo) as place:
        steps = list_steps(place, base, INDEXED)
        ids = [step.id for step in steps]
        past = _digested(place, steps[: REPLAYED + 1], cache, progress)
        _index(place, ids, index, progress)
    return past, {one: age for age, one in enumerate(ids)}


def _digested(
    place: Place, steps: Sequence[HistoryStep], cache: GateCache, progress: GateProgress
) -> Past:
    """Return the digest of the history of the first of `steps`, made anew where none is kept."""
    key = f"{steps[0].id} {len(steps)} {BIAS} {WEIGHTS}"
    if kept := cache.digest(key):
        return msgspec.json.decode(kept, type=Past)
    changes, unread = _changes(place, [step.id for step in steps], cache, progress)
    meetings = _meetings(place, steps, changes, unread, cache=cache, progress=progress)
    progress("what the history says", 0, 1)
    past = study(ChangeHistory(tuple(changes[step.id] for step in steps), tuple(meetings)))
    cache.keep_digest(key, msgspec.json.encode(past))
    return past


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


def _index(place: Place, ids: Sequence[str], index: GateIndex, progress: GateProgress) -> None:
    missing = index.missing(ids)[::-1]
    for at in range(0, len(missing), 500):
        progress("indexing changes", at, len(missing))
        changes = read_names(place, missing[at : at + 500])
        index.add_changes(
            (one.id, " ".join(terms(one.subject)), sorted(one.paths) if is_task(one) else ())
            for one in changes
        )
