"""Direct access to the database through its own driver: one read, or one write.

There are two ways, because SQLAlchemy takes 0.2 s to import, and a command such as `status` must
answer at once. What only reads comes this way, and so does the ledger, which writes its index.
Everything else comes through `engine`: Alembic and DBOS need SQLAlchemy, so the worker has it, and
so has whoever asks something of the worker.
"""

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from abreast.errors import FREE_SPACE, DamagedError, StoreError
from abreast.process import clock
from abreast.process.room import is_packed
from abreast.store.revisions import REVISIONS, VERSION_TABLE

BUSY_SECONDS = 30
"""How long whoever comes either way waits for another who has locked the database."""

SAID_AFTER = 2.0
"""After so many seconds whoever waits is told."""

_VERSION = f"SELECT version_num FROM {VERSION_TABLE}"  # noqa: S608


@dataclass(frozen=True)
class Query:
    """Runs a statement, with `?` for each parameter, and returns the rows that it finds.

    A table that is not there has none.
    """

    cursor: Any
    mark: str

    def __call__(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        try:
            self.cursor.execute(sql.replace("?", self.mark), parameters)
        except Exception as error:
            missing = "no such table" in str(error) or getattr(error, "sqlstate", "") == "42P01"
            if not missing:
                raise
            self.cursor.connection.rollback()
            return []
        return self.cursor.fetchall() if self.cursor.description else []

    def many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a statement once for each row of parameters."""
        self.cursor.executemany(sql.replace("?", self.mark), rows)


@contextlib.contextmanager
def open_snapshot(database: str) -> Iterator[Query]:
    """Yield what queries the database at a SQLAlchemy URL; it cannot write.

    All queries see one moment. A database that does not exist, or that abreast has not used yet,
    has no rows; one of an older abreast is upgraded first. Raises StoreError when it does not
    answer or has another schema.
    """
    with _connected(database) as query:
        found = query(_VERSION)
        if not found or found[0][0] not in REVISIONS[:-1]:
            yield query
            return
    bring_up_to_date(database)
    with _connected(database) as query:
        yield query


@contextlib.contextmanager
def open_transaction(database: str, table: str) -> Iterator[Query]:
    """Yield what queries the database and changes it; nobody else writes to `table` meanwhile.

    All is kept at the end, nothing after an error. The database is made, or brought up to date,
    when it has to be; its folder must exist. Raises StoreError when it does not answer.
    """
    with open_snapshot(database) as query:
        current = query(_VERSION) == [(REVISIONS[-1],)]
    if not current:
        bring_up_to_date(database)
    with _connected(database, table) as query:
        yield query


def bring_up_to_date(database: str) -> None:
    """Make the database, or upgrade that of an older abreast; its folder must exist."""
    # Only once in its life: SQLAlchemy and Alembic take half a second to import.
    from abreast.store.engine import make_engine
    from abreast.store.migrations import migrate

    engine = make_engine(database)
    try:
        migrate(engine)
    finally:
        engine.dispose()


def is_damage(error: object) -> bool:
    """Return whether SQLite says that a file is no database, or a broken one."""
    said = str(error)
    damaged = "not a database" in said or "malformed" in said
    return isinstance(error, sqlite3.DatabaseError) and damaged


def _connected(database: str, written: str = "") -> AbstractContextManager[Query]:
    """Return what queries the database in one transaction; without a table to write, it only reads.

    A file that is not there has no rows, and stays away.
    """
    prefix = "sqlite:///"
    if not database.startswith(prefix):
        return _postgres(database, written)
    file = Path(database[len(prefix) :]).absolute()
    if written:
        return _sqlite(file, "rw", "BEGIN IMMEDIATE")
    return _sqlite(file, _reading_mode(file), "BEGIN")


def _reading_mode(file: Path) -> str:
    """Return how a database file is opened to be read.

    In a folder that may not be written, or has no room, SQLite can read one only if it is told that
    nobody writes. That is so: nobody could, and what had been written before is all in the file.
    """
    if not file.exists():
        return "memory"
    log = file.with_name(f"{file.name}-wal")
    silent = not os.access(file.parent, os.W_OK) or is_packed(file.parent)
    alone = silent and not (log.exists() and log.stat().st_size)
    return "ro&immutable=1" if alone else "ro"


@contextlib.contextmanager
def _sqlite(file: Path, mode: str, begin: str) -> Iterator[Query]:
    try:
        with contextlib.closing(_open(f"{file.as_uri()}?mode={mode}", begin)) as connection:
            yield Query(connection.cursor(), "?")
            connection.commit()  # closing without it takes everything back
    except sqlite3.Error as error:
        place, done = f"the database {file}", "written" if mode == "rw" else "read"
        raise failure(place, f"{place} cannot be {done}", error, file.parent) from error


def _open(uri: str, begin: str) -> sqlite3.Connection:
    """Open a file and start a transaction, which is what fixes the moment that is read."""
    deadline = clock.awake() + BUSY_SECONDS
    waiting = False
    while True:
        connection = sqlite3.connect(uri, uri=True, timeout=SAID_AFTER, isolation_level=None)
        try:
            connection.execute(begin)
            connection.execute("SELECT 1 FROM sqlite_master").fetchone()
        except sqlite3.OperationalError as error:
            connection.close()
            # While the last writer closes, or the first one after a crash recovers, SQLite may
            # answer at once that the file is locked or cannot be opened, instead of waiting.
            transient = is_locked(error) or "unable to open" in str(error)
            if not transient or clock.awake() > deadline:
                raise
            if is_locked(error) and not waiting:
                waiting = clock.awake() > deadline - BUSY_SECONDS + SAID_AFTER
                if waiting:
                    say_locked(uri.partition("?")[0].removeprefix("file://"))
            time.sleep(0.01)
        else:
            return connection


@contextlib.contextmanager
def _postgres(database: str, written: str) -> Iterator[Query]:
    import psycopg

    address = database.replace("postgresql+psycopg://", "postgresql://", 1)
    try:
        with psycopg.connect(address) as connection:
            if written:
                connection.execute(f"LOCK TABLE {written} IN EXCLUSIVE MODE")
            else:
                connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
                connection.read_only = True
            yield Query(connection.cursor(), "%s")
    except psycopg.Error as error:
        place = "the database at its server"
        done = "written" if written else "read"
        raise failure(place, f"{place} cannot be {done}", error) from error


def is_locked(error: object) -> bool:
    """Return whether SQLite says that another process has locked a file."""
    return isinstance(error, sqlite3.OperationalError) and "locked" in str(error)


def say_locked(file: object) -> None:
    """Tell whoever waits why: on standard error, unless the program logs elsewhere."""
    import logging  # seldom

    words = "waiting for the database %s, which another process has locked"
    logging.getLogger("abreast").warning(words, file)


def failure(place: str, otherwise: str, error: object, folder: Path | None = None) -> StoreError:
    """Return what to tell of a driver's error at the database `place`.

    `otherwise` begins what is told where its words are of no known kind. `folder` is a file's: on a
    full disk SQLite may say no more than that it cannot read or open something.
    """
    said = str(error).strip()
    if is_damage(error):
        return DamagedError(f"{place} is damaged: {said}")
    if "no such column" in said or ("does not exist" in said and "column" in said):
        return StoreError(
            f"{place} has another schema: {said}",
            hint="another version of abreast has used it: upgrade abreast",
        )
    vague = "disk I/O error" in said or "unable to open" in said
    if vague and folder is not None and is_packed(folder):
        said = "disk is full"
    for words, told, hint in _KNOWN:
        if words in said:
            return StoreError(f"{place} {told}", hint=hint)
    return StoreError(f"{otherwise}: {said}", hint=_ELSE)


_ELSE = "check its disk and folder, and whether its server is running; agents go on meanwhile"
_KNOWN = (
    ("disk is full", "cannot be written: its disk is full", FREE_SPACE),
    (
        "No space left on device",
        "cannot be written: its server's disk is full",
        "free some space there; what was done is kept",
    ),
    (
        "is locked",
        f"has been locked by another process for {BUSY_SECONDS} s",
        "close what has it open (`fuser FILE` names it), then do this again",
    ),
    (
        "readonly database",
        "cannot be written: it, or its folder, is read-only",
        "make it writable, or set ABREAST_STATE_DIR to a folder that you can write",
    ),
)
