"""One consistent, read-only look into the database, through the database's own driver."""

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from abreast.errors import DamagedError, StoreError
from abreast.store.revisions import REVISIONS, VERSION_TABLE

BUSY_SECONDS = 10.0


# Runs one SELECT, with `?` for each of the parameters that follow, and returns all its rows.
Query = Callable[..., list[tuple[Any, ...]]]


@contextlib.contextmanager
def open_snapshot(database: str) -> Iterator[Query]:
    """Yield a query function for the database at a SQLAlchemy URL.

    All queries see one moment. A database that does not exist, or that abreast has not used yet,
    has no rows; one of an older abreast is upgraded first. Raises StoreError when it does not
    answer or has another schema.
    """
    prefix = "sqlite:///"
    if not database.startswith(prefix):
        with _current(database, lambda: _postgres(database)) as query:
            yield query
        return
    file = Path(database[len(prefix) :]).absolute()
    if not file.exists():
        yield _nothing
        return
    with _current(database, lambda: _sqlite(file)) as query:
        yield query


@contextlib.contextmanager
def _current(database: str, look: Callable[[], AbstractContextManager[Query]]) -> Iterator[Query]:
    """Yield the query function of `look`; a database of an older abreast is brought up to date."""
    with look() as query:
        found = query(f"SELECT version_num FROM {VERSION_TABLE}")  # noqa: S608
        if not found or found[0][0] not in REVISIONS[:-1]:
            yield query
            return
    bring_up_to_date(database)
    with look() as query:
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


def _nothing(_sql: str, *_parameters: object) -> list[tuple[Any, ...]]:
    return []


@contextlib.contextmanager
def _sqlite(file: Path) -> Iterator[Query]:
    try:
        with contextlib.closing(_connect(file)) as connection:

            def query(sql: str, *parameters: object) -> list[tuple[Any, ...]]:
                try:
                    return connection.execute(sql, parameters).fetchall()
                except sqlite3.OperationalError as error:
                    if "no such table" in str(error):
                        return []
                    raise

            yield query
    except sqlite3.Error as error:
        raise _unreadable(file, error) from error


def _connect(file: Path) -> sqlite3.Connection:
    """Open `file` for reading and start a transaction, which is what fixes the moment."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        connection = sqlite3.connect(
            f"{file.as_uri()}?mode=ro", uri=True, timeout=BUSY_SECONDS, isolation_level=None
        )
        try:
            connection.execute("BEGIN")
            connection.execute("SELECT 1 FROM sqlite_master").fetchone()
        except sqlite3.OperationalError as error:
            connection.close()
            # While the last writer closes, or the first one after a crash recovers, SQLite may
            # answer at once that the file is locked or cannot be opened, instead of waiting.
            transient = "locked" in str(error) or "unable to open" in str(error)
            if not transient or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return connection


@contextlib.contextmanager
def _postgres(database: str) -> Iterator[Query]:
    import psycopg

    address = database.replace("postgresql+psycopg://", "postgresql://", 1)
    try:
        with psycopg.connect(address) as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.read_only = True

            def query(sql: str, *parameters: object) -> list[tuple[Any, ...]]:
                try:
                    return connection.execute(sql.replace("?", "%s"), parameters).fetchall()
                except psycopg.errors.UndefinedTable:
                    connection.rollback()
                    return []

            yield query
    except psycopg.Error as error:
        raise _unreadable("at its server", error) from error


def is_damage(error: object) -> bool:
    """Tell whether SQLite says that a file is no database, or a broken one."""
    said = str(error)
    damaged = "not a database" in said or "malformed" in said
    return isinstance(error, sqlite3.DatabaseError) and damaged


def _unreadable(place: object, error: Exception) -> StoreError:
    said = str(error).strip()
    if is_damage(error):
        return DamagedError(f"the database {place} is damaged: {said}")
    if "no such column" in said or ("does not exist" in said and "column" in said):
        return StoreError(
            f"the database {place} has another schema: {said}",
            hint="another version of abreast has used it: upgrade abreast",
        )
    return StoreError(f"the database {place} cannot be read: {said}")
