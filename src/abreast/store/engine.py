"""Connections to the database, set up the way that all of abreast (and DBOS) needs them."""

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import sqlalchemy as sa
from sqlalchemy import event, exc

from abreast.errors import StoreError
from abreast.process import clock
from abreast.store.direct import BUSY_SECONDS, SAID_AFTER, failure, is_locked, say_locked
from abreast.store.network import require_local


def make_engine(url: str) -> sa.Engine:
    """Return an engine for a `sqlite:///FILE` or `postgresql://` URL; connects to nothing yet.

    A SQLite file is created when it is first connected to, readable by the user alone; its folder
    must exist. Raises StoreError for a URL of any other kind.
    """
    try:
        parsed = sa.make_url(url)
    except exc.ArgumentError as error:
        raise StoreError("the database URL cannot be read", hint=_URLS) from error
    backend = parsed.get_backend_name()
    if backend == "sqlite" and parsed.database not in {None, "", ":memory:"}:
        return _sqlite(parsed)
    if backend == "postgresql":
        return sa.create_engine(parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True)
    raise StoreError(f"abreast cannot keep its state in a {backend} database", hint=_URLS)


_URLS = "use sqlite:///FILE or postgresql://USER@HOST/DATABASE"


def _sqlite(url: sa.URL) -> sa.Engine:
    engine = sa.create_engine(url, connect_args={"timeout": BUSY_SECONDS})
    file = str(url.database)
    checked: list[bool] = []

    @event.listens_for(engine, "do_connect")
    def _create(*_: Any) -> None:
        if not checked:
            require_local(Path(file).absolute())
            checked.append(True)
        with contextlib.suppress(FileExistsError, FileNotFoundError):
            os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))

    @event.listens_for(engine, "connect")
    def _set_up(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = "IMMEDIATE"
        connection.execute("PRAGMA foreign_keys=ON")
        _use_wal(connection)
        connection.execute("PRAGMA synchronous=FULL")
        if sqlite3.sqlite_version_info < (3, 42):
            # DBOS asks unixepoch('subsec') on Python 3.12 and later; SQLite has it since 3.42.
            connection.create_function("unixepoch", 1, lambda _: clock.wall())

    return engine


def _use_wal(connection: sqlite3.Connection) -> None:
    # The switch needs the file for itself, and SQLite does not wait for that: two processes that
    # open a new database at the same moment meet here.
    deadline = clock.awake() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or clock.awake() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


@contextlib.contextmanager
def transaction(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Yield a connection inside a transaction that may write; commit at the end.

    What is read in it stays true until the end: on SQLite it holds the write lock from the start
    (the driver alone would take it with the first write only); on PostgreSQL, lock rows with
    `with_for_update`. Raises StoreError when the database cannot be reached, read or written.
    """
    with _as_store_error(engine), engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            _begin_immediate(connection)
        yield connection


def _begin_immediate(connection: sa.Connection) -> None:
    """Take the write lock; whoever waits long for it is told."""
    raw = cast("sqlite3.Connection", connection.connection.driver_connection)
    raw.execute(f"PRAGMA busy_timeout = {int(SAID_AFTER * 1000)}")
    try:
        raw.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if not is_locked(error):
            raise
        say_locked(connection.engine.url.database)
    else:
        return
    finally:
        raw.execute(f"PRAGMA busy_timeout = {int((BUSY_SECONDS - SAID_AFTER) * 1000)}")
    connection.exec_driver_sql("BEGIN IMMEDIATE")


@contextlib.contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Yield a connection that only reads, and waits for no writer; raises StoreError likewise."""
    with _as_store_error(engine), engine.connect() as connection:
        yield connection


@contextlib.contextmanager
def _as_store_error(engine: sa.Engine) -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:  # of a call that goes around SQLAlchemy
        raise failure(_place(engine), _AWAY, error, _folder(engine)) from error
    except (exc.IntegrityError, exc.ProgrammingError, exc.DataError, exc.NotSupportedError):
        raise  # our mistake, not the database's
    except (exc.DatabaseError, exc.InterfaceError, exc.TimeoutError) as error:
        cause = getattr(error, "orig", None) or error
        raise failure(_place(engine), _AWAY, cause, _folder(engine)) from error


_AWAY = "the database does not answer"


def _folder(engine: sa.Engine) -> Path | None:
    file = engine.url.database if engine.dialect.name == "sqlite" else ""
    return Path(file).absolute().parent if file else None


def _place(engine: sa.Engine) -> str:
    file = engine.url.database if engine.dialect.name == "sqlite" else ""
    return f"the database {file}" if file else "the database"


if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite


def upsert(
    db: sa.Connection,
    table: sa.Table,
    key: Mapping[str, Any],
    values: Mapping[str, Any],
    *,
    only_if: sa.ColumnElement[bool] | None = None,
) -> "postgresql.Insert | sqlite.Insert":
    """Return the statement that sets `values` in the row that `key` names.

    `key` is the table's whole primary key. With `only_if`, a row that is there is left alone
    unless the condition holds for it.
    """
    row = {**key, **values}
    # Each is imported where it is used: importing both takes `abreast run` 30 ms.
    if db.dialect.name == "sqlite":
        from sqlalchemy.dialects import sqlite

        return (
            sqlite.insert(table)
            .values(row)
            .on_conflict_do_update(index_elements=list(key), set_=dict(values), where=only_if)
        )
    from sqlalchemy.dialects import postgresql

    return (
        postgresql.insert(table)
        .values(row)
        .on_conflict_do_update(index_elements=list(key), set_=dict(values), where=only_if)
    )
