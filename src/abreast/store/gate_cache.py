"""What has been read and replayed of a repository, kept so that the next check is quick.

One SQLite file for each repository, in the state folder and not in the database: all of it can be
made again. A file of another version, or a broken one, is replaced by an empty one.
"""

import contextlib
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from abreast.errors import DamagedCacheError, StoreError
from abreast.model.history import Change, Meeting
from abreast.store.direct import is_damage

VERSION = 4
"""Of the tables, and of what is in them: how changes are read and pairs are replayed."""

_TABLES = f"""
BEGIN IMMEDIATE;
CREATE TABLE change (
    id TEXT PRIMARY KEY, unread INTEGER NOT NULL, data BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE meeting (
    later TEXT NOT NULL, earlier TEXT NOT NULL, data BLOB, PRIMARY KEY (later, earlier)
) WITHOUT ROWID;
CREATE TABLE subject_of (
    number INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, paths BLOB NOT NULL
);
CREATE VIRTUAL TABLE subject USING fts5 (words);
CREATE TABLE paths_of (tree TEXT NOT NULL);
CREATE TABLE file (number INTEGER PRIMARY KEY, path TEXT UNIQUE NOT NULL);
CREATE VIRTUAL TABLE file_words USING fts5 (words, subjects);
CREATE VIRTUAL TABLE file_vocabulary USING fts5vocab (file_words, row);
CREATE TABLE digest (key TEXT PRIMARY KEY, data BLOB NOT NULL);
PRAGMA user_version = {VERSION};
COMMIT;
"""
_DIGESTS = 20  # that are kept: four for each of the last base commits
_FORGET = (
    "DELETE FROM digest WHERE rowid NOT IN (SELECT rowid FROM digest ORDER BY rowid DESC LIMIT ?)"
)
_AT_ONCE = 500  # parameters of one statement
_BUSY_SECONDS = 5  # another check writes for moments; then this one does without the file

Pair = tuple[str, str]
"""The ids of an earlier and a later change."""


@dataclass(frozen=True)
class GateCache:
    """The open file. Whatever is asked for and not known is simply not in the answer."""

    connection: sqlite3.Connection

    def changes(self, ids: Sequence[str]) -> tuple[dict[str, Change], set[str]]:
        """Return what is known of these commits, and which of them could not be read whole."""
        rows = self._select("SELECT id, unread, data FROM change WHERE id", ids)
        reader = msgspec.json.Decoder(Change)
        found, unread = {}, set()
        for name, cut, data in rows:
            found[name] = reader.decode(data)
            if cut:
                unread.add(name)
        return found, unread

    def add_changes(self, changes: Iterable[Change], unread: Collection[str]) -> None:
        """Keep changes."""
        rows = [(one.id, one.id in unread, msgspec.json.encode(one)) for one in changes]
        with self.connection:
            self.connection.executemany("INSERT OR IGNORE INTO change VALUES (?, ?, ?)", rows)

    def meetings(self, later: Sequence[str]) -> dict[Pair, Meeting | None]:
        """Return the pairs that were replayed of these later changes; None of one that failed."""
        rows = self._select("SELECT earlier, later, data FROM meeting WHERE later", later)
        reader = msgspec.json.Decoder(Meeting)
        return {(one, two): reader.decode(data) if data else None for one, two, data in rows}

    def add_meetings(self, pairs: Iterable[Pair], meetings: Iterable[Meeting]) -> None:
        """Keep how these pairs met; those without a meeting could not be replayed."""
        found = {(one.earlier, one.later): msgspec.json.encode(one) for one in meetings}
        rows = [(later, earlier, found.get((earlier, later))) for earlier, later in pairs]
        with self.connection:
            self.connection.executemany("INSERT OR REPLACE INTO meeting VALUES (?, ?, ?)", rows)

    def digest(self, key: str) -> bytes | None:
        """Return what was made of the history under this key, if that was kept."""
        row = self.connection.execute("SELECT data FROM digest WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None

    def keep_digest(self, key: str, data: bytes) -> None:
        """Keep what was made of the history, and forget what was made of others before."""
        with self.connection:
            self.connection.execute("INSERT OR REPLACE INTO digest VALUES (?, ?)", (key, data))
            self.connection.execute(_FORGET, (_DIGESTS,))

    def _select(self, sql: str, ids: Sequence[str]) -> Iterator[tuple[str, str, bytes]]:
        for at in range(0, len(ids), _AT_ONCE):
            part = ids[at : at + _AT_ONCE]
            yield from self.connection.execute(f"{sql} IN ({','.join('?' * len(part))})", part)


@contextlib.contextmanager
def open_gate_cache(file: Path | None) -> Iterator[GateCache]:
    """Yield the cache in `file`, made if need be; without one, in memory.

    Raises `StoreError` when the file can be neither used nor replaced, or fails while it is used,
    as on a full disk. Raises `DamagedCacheError` when it turns out to be damaged while it is used:
    it is removed then, and made again the next time.
    """
    try:
        connection = _open(file)
    except (OSError, sqlite3.Error) as error:
        raise _unusable(file, error) from error
    with contextlib.closing(connection):
        try:
            yield GateCache(connection)
        except (sqlite3.DatabaseError, msgspec.DecodeError) as error:
            if file is None:
                raise
            if not _is_damage(error):
                raise _unusable(file, error) from error
            _remove(file)
            raise DamagedCacheError(
                f"the gate's cache {file} was damaged, and has been removed: {error}",
                hint="run the same command again",
            ) from error


def _unusable(file: Path | None, error: Exception) -> StoreError:
    hint = "free some space, or delete the file: it is made again"
    return StoreError(f"the gate's cache {file} cannot be used: {error}", hint=hint)


def _is_damage(error: Exception) -> bool:
    """Return whether an error says that what was kept is not what was written."""
    spoilt = isinstance(error, msgspec.DecodeError) or "decode" in str(error)
    said = str(error)
    return spoilt or "corrupt" in said or said.startswith("no such ") or is_damage(error)


def _remove(file: Path) -> None:
    for name in (file.name, f"{file.name}-wal", f"{file.name}-shm"):
        file.with_name(name).unlink(missing_ok=True)


def _open(file: Path | None) -> sqlite3.Connection:
    if file is None:
        return _prepared(":memory:")
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        return _prepared(str(file))
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError) and not is_damage(error):
            raise
        _remove(file)
        return _prepared(str(file))


def _check(version: int) -> None:
    if version != VERSION:
        raise sqlite3.DatabaseError(f"version {version} of the gate's cache")


def _prepared(name: str) -> sqlite3.Connection:
    connection = sqlite3.connect(name, timeout=_BUSY_SECONDS)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            with contextlib.suppress(sqlite3.OperationalError):  # another check has made them
                connection.executescript(_TABLES)
            version = connection.execute("PRAGMA user_version").fetchone()[0]
        _check(version)
    except BaseException:
        connection.close()
        raise
    return connection
