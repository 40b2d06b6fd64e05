"""One transaction that writes, through the database's own driver: SQLAlchemy takes 0.2 s to load.

For what is written by commands that must answer at once; everything else goes through `engine`.
"""

import contextlib
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from abreast.errors import DamagedError, StoreError
from abreast.store.revisions import REVISIONS, VERSION_TABLE
from abreast.store.snapshot import bring_up_to_date, is_damage, open_snapshot

BUSY_SECONDS = 30.0

Execute = Callable[[str, Sequence[Sequence[Any]]], list[tuple[Any, ...]]]
"""Runs a statement, with `?` for a parameter, once for each row of them; returns what it found."""


@contextlib.contextmanager
def open_transaction(database: str, table: str) -> Iterator[Execute]:
    """Yield a function that executes statements; nobody else writes to `table` meanwhile.

    All is kept at the end, nothing after an error. The database is made, or brought up to date,
    when it has to be; its folder must exist. Raises StoreError when it does not answer.
    """
    prefix = "sqlite:///"
    if not _is_current(database):
        bring_up_to_date(database)
    if database.startswith(prefix):
        with _sqlite(Path(database[len(prefix) :])) as execute:
            yield execute
    else:
        with _postgres(database, table) as execute:
            yield execute


def _is_current(database: str) -> bool:
    with open_snapshot(database) as query:
        found = query(f"SELECT version_num FROM {VERSION_TABLE}")  # noqa: S608
    return bool(found) and found[0][0] == REVISIONS[-1]


@contextlib.contextmanager
def _sqlite(file: Path) -> Iterator[Execute]:
    try:
        opened = sqlite3.connect(file, timeout=BUSY_SECONDS, isolation_level=None)
        with contextlib.closing(opened) as connection:
            connection.execute("BEGIN IMMEDIATE")

            def execute(sql: str, rows: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
                if len(rows) == 1:
                    return connection.execute(sql, rows[0]).fetchall()
                connection.executemany(sql, rows)
                return []

            yield execute  # closing without a commit takes everything back
            connection.execute("COMMIT")
    except sqlite3.Error as error:
        if is_damage(error):
            raise DamagedError(f"the database {file} is damaged: {error}") from error
        raise StoreError(f"the database {file} cannot be written: {error}") from error


@contextlib.contextmanager
def _postgres(database: str, table: str) -> Iterator[Execute]:
    import psycopg

    address = database.replace("postgresql+psycopg://", "postgresql://", 1)
    try:
        with psycopg.connect(address) as connection, connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {table} IN EXCLUSIVE MODE".encode())

            def execute(sql: str, rows: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
                told = sql.replace("?", "%s").encode()
                if len(rows) == 1:
                    cursor.execute(told, rows[0])
                    return cursor.fetchall() if cursor.description else []
                cursor.executemany(told, rows)
                return []

            yield execute
    except psycopg.Error as error:
        raise StoreError(f"the database at its server cannot be written: {error}") from error
