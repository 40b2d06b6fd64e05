"""The index of transcripts, brought up to date: only news is read, no request counts twice."""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from abreast.economics.ledger import tally
from abreast.engine.reading.ledger.cores import Weighed, read_all
from abreast.engine.reading.ledger.read import (
    SIGNED,
    Reading,
    Requests,
    answer_of,
    answers_in,
    forked_from,
    known_bytes,
    names_in,
    pack,
    unpack,
)
from abreast.engine.reading.transcripts import Found, find_transcripts, hidden_folders
from abreast.errors import StateError, StoreError
from abreast.places import Places
from abreast.process import clock
from abreast.store.transcripts import Indexed, load_index, load_requests, save_index


@dataclass
class Index:
    """Every transcript that is known, by path. `read` counts the bytes that were read for it.

    `notes` tell what could not be read, or kept. `unrecorded` counts the sessions of which a CLI
    has counted more than it recorded.
    """

    places: Places
    files: dict[str, Indexed]
    notes: list[str] = field(default_factory=list)
    read: int = 0
    unrecorded: int = 0
    packed: dict[str, bytes] = field(default_factory=dict)

    @property
    def there(self) -> set[tuple[str, str]]:
        """The sessions, by agent and name, of which there is a file: it may have been moved."""
        return {(one.agent, one.session) for one in self.files.values() if one.gone is None}

    def load(self, paths: Iterable[str]) -> None:
        """Fetch the requests of these files from the store, as far as they are not here."""
        missing = [path for path in paths if path not in self.packed]
        if missing:
            self.packed |= load_requests(self.places.database, missing)

    def requests(self, path: str) -> Requests:
        """Return what a file alone has told of, in the order of its record; call `load` first."""
        return unpack(self.packed.get(path, b""), self.files[path].models)


def refresh(places: Places, environ: Mapping[str, str]) -> Index:
    """Return the index with all that has been written since, and keep it in the store.

    Files that are gone stay in it, with the time at which that was noticed. Two processes that do
    this at once both get it right; what the later one has read is read again next time.
    """
    files, generation = load_index(places.database)
    found = list(find_transcripts(places, environ))
    hidden = [
        f"{one} may not be looked into: what is in it is missing" for one in hidden_folders(environ)
    ]
    update = _Update(Index(places, files, hidden))
    update.mark_gone(found)
    to_read = [*_to_read(found, files)]
    update.index.read = sum(size for _, size in to_read)
    update.take(read_all(to_read))
    if update.changed:
        _save(update, generation)
    return update.index


def _to_read(found: Iterable[Found], files: Mapping[str, Indexed]) -> Iterator[Weighed]:
    """Yield the files that are new or have changed, and how much is to be read of each."""
    for one in found:
        known, inode = files.get(one.name) or Indexed(one.name, one.agent), one.inode & SIGNED
        if (inode, one.size, one.mtime) != (known.inode, known.size, known.mtime):
            yield known, one.size - known_bytes(known, inode, one.size)


def _save(update: "_Update", generation: int) -> None:
    index, database = update.index, update.index.places.database
    try:
        index.load(update.changed)
        index.places.make()
        save_index(database, [index.files[one] for one in update.changed], index.packed, generation)
    except (StateError, StoreError) as error:
        index.notes.append(f"the index could not be kept, the next look reads all again: {error}")


class _Update:
    """What changes in an index."""

    def __init__(self, index: Index) -> None:
        self.index = index
        self.changed: dict[str, None] = {}
        self._names: set[bytes] = set()  # of all requests that are counted

    def mark_gone(self, found: Sequence[Found]) -> None:
        """Note which files exist no more; those of roots that are not looked at now do."""
        there = {one.name for one in found}
        for path, one in self.index.files.items():
            gone = path not in there and _is_gone(path)
            if gone != (one.gone is not None):
                one.gone = clock.wall() if gone else None
                self.changed[path] = None

    def take(self, readings: Iterable[Reading]) -> None:
        """Add what was read. A request that several files tell of is the first one's."""
        good = []
        for found in readings:
            if found.failed:
                self.index.notes.append(f"{found.row.path} cannot be read: {found.failed}")
            else:
                good.append(found)
        if self.index.files and any(found.requests for found in good):
            packed = load_requests(self.index.places.database)
            self._names = {name for one in packed.values() for name in names_in(one)}
            self.index.packed = packed
        replayed = self._replayed(good)
        for found in good:
            if found.row.path in self.index.files:
                self._extend(found, replayed)
        self._add([one for one in good if one.row.path not in self.changed], replayed)

    def _replayed(self, readings: Iterable[Reading]) -> set[bytes]:
        """Return the names in subagents' files of requests that their session made.

        Some subagents begin with a copy of its conversation, in which the answers have the ids that
        they had, and the requests others. What a subagent asks itself is answered anew.
        """
        sides, mains = set[bytes](), [*self.index.packed.items()]
        for found in readings:
            if self.index.files.get(found.row.path, found.row).parent:
                sides.update(names_in(found.requests))
            else:
                mains.append((found.row.path, found.requests))
        if not sides:
            return sides
        answers = {answer_of(name) for name in sides}
        told = set[bytes]()
        for path, packed in mains:
            if path not in self.index.files or not self.index.files[path].parent:
                told |= answers_in(packed) & answers
        return {name for name in sides if answer_of(name) in told} if told else told

    def _extend(self, found: Reading, replayed: Collection[bytes]) -> None:
        """Add to a file that is known. What it no longer says was spent all the same."""
        now, known = found.row, self.index.files[found.row.path]
        self.index.load([now.path])
        before = self.index.requests(now.path)
        new = unpack(found.requests, now.models)
        others = self._names.union(replayed) if known.parent else self._names
        before |= {n: one for n, one in new.items() if n in before or n not in others}
        self._names.update(before)
        if not found.whole:
            now = replace(
                now,
                session=known.session,
                parent=known.parent,
                cwd=known.cwd,
                begun=known.begun,
                skipped=known.skipped + now.skipped,
                warnings=[*dict.fromkeys((*known.warnings, *now.warnings))],
            )
        now.forked_from = known.forked_from
        self._keep(now, before)

    def _add(self, readings: Sequence[Reading], replayed: Collection[bytes] = ()) -> None:
        """Add files that are new: what a fork repeats belongs to the session it was taken from."""
        once: set[bytes] = set()
        several: set[bytes] = set(replayed)
        for found in readings:
            names = set(names_in(found.requests))
            several |= names & once
            several |= names & self._names
            once |= names
        contested = []
        for found in readings:
            now = found.row
            if several.isdisjoint(names_in(found.requests)):
                self.index.files[now.path] = now
                self.index.packed[now.path] = found.requests
                self.changed[now.path] = None
            else:
                now.forked_from = forked_from(now)
                contested.append((now, unpack(found.requests, now.models)))
        origins = {now.session: now.forked_from for now, _ in contested}
        for now, requests in sorted(contested, key=lambda one: _age(one[0], origins)):
            others = self._names.union(replayed) if now.parent else self._names
            own = {name: one for name, one in requests.items() if name not in others}
            self._names.update(own)
            self._keep(now, own)
        self._names |= once

    def _keep(self, now: Indexed, requests: Requests) -> None:
        self.index.packed[now.path], now.models, _ = pack(requests)
        now.tallies = tally(requests.values())
        self.index.files[now.path] = now
        self.changed[now.path] = None


def _is_gone(path: str) -> bool:
    """Return whether there certainly is no such file any more: one in a locked folder may be."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def _age(one: Indexed, origins: Mapping[str, str]) -> tuple[int, float, str]:
    """Return a sort key that puts forks after the sessions they were taken from."""
    forks, session = 0, one.session
    while (session := origins.get(session, "")) and forks < len(origins):
        forks += 1
    return forks, one.begun, one.path
