"""What a repository's history tells the gate: one digest for each base commit, and an index."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec

from abreast.errors import GitError
from abreast.gate.past import Past
from abreast.gate.predict import RANKED, Hits, predict
from abreast.gate.terms import terms
from abreast.gate.weights import BIAS, WEIGHTS
from abreast.git.repository import Repository
from abreast.model.gate import GateProgress, PredictedPath
from abreast.store.gate_cache import GateCache
from abreast.store.gate_index import BY_ALL, BY_NAME, GateIndex

NOTHING: Mapping[str, int] = {}


@dataclass(frozen=True)
class KnownPast:
    """What is known at the base commit. `notes` say what could not be looked at."""

    past: Past
    index: GateIndex
    ages: dict[str, int]
    tree: frozenset[str]
    notes: tuple[str, ...] = ()

    def predict(
        self, text: str, defining: Mapping[str, int] = NOTHING, limit: int = 10
    ) -> tuple[PredictedPath, ...]:
        """Return the paths that a task will probably write, by its id, sentence and prompt.

        `defining` are the files that define what it speaks of, with how many do.
        """
        hits = look_up(self.index, terms(text), self.ages, self.tree)
        return predict(self.past, replace(hits, defining=defining), limit)


@dataclass(frozen=True)
class _Digest:
    """What is kept for a base commit: its past, and the changes before it, newest first."""

    past: Past
    changes: tuple[str, ...]


def known_past(
    repo: Repository, base: str, paths: Sequence[str], cache: GateCache, progress: GateProgress
) -> KnownPast:
    """Return what the history of `base` tells; `paths` are the files of its tree.

    Without a commit, or without a history that can be read, it knows little and says so. Nothing in
    the repository changes.
    """
    index = GateIndex(cache.connection)
    index.set_paths(base, paths, lambda path: " ".join(terms(path)))
    found, notes = _Digest(Past(), ()), tuple[str, ...]()
    try:
        found = _read(repo, base, cache, index, progress)
    except GitError as error:
        why = (error.stderr.strip().splitlines() or [error.message])[-1]
        notes = (f"the history could not be read, so it says nothing: {why}",)
    ages = {one: age for age, one in enumerate(found.changes)}
    return KnownPast(found.past, index, ages, frozenset(paths), notes)


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
) -> _Digest:
    """Return the digest of a history, made anew where none is kept; the index then has it too."""
    if not base:
        return _Digest(Past(), ())
    key = f"past {base} {_end(repo)} {BIAS} {WEIGHTS}"
    if kept := cache.digest(key):
        return msgspec.json.decode(kept, type=_Digest)
    from abreast.engine.client.gate_history import read_past  # the next check does without

    found = _Digest(*read_past(repo, base, cache, index, progress))
    cache.keep_digest(key, msgspec.json.encode(found))
    return found


def _end(repo: Repository) -> str:
    """Return what tells where the history ends: a shallow clone may be deepened."""
    shallow = repo.common_dir / "shallow"
    return hashlib.sha256(shallow.read_bytes()).hexdigest() if shallow.is_file() else ""
