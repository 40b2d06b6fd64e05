"""Look whether a database file is damaged, and put it aside: nothing ever writes over it."""

import contextlib
import sqlite3
from pathlib import Path

from abreast.errors import StoreError
from abreast.store.direct import BUSY_SECONDS, is_damage

_SQLITE = "sqlite:///"
BESIDE = ("", "-wal", "-shm")
"""The endings of a database file's name, and of what SQLite keeps beside it for this file alone."""


def file_of(database: str) -> Path | None:
    """Return the file that a database URL names, absolute; None for a server."""
    if not database.startswith(_SQLITE):
        return None
    return Path(database.removeprefix(_SQLITE)).absolute()


def find_damage(file: Path) -> str:
    """Return what is wrong with a database file, read as a whole; "" if nothing is.

    One that is not there, or is empty, is none. Raises StoreError when it cannot be read.
    """
    if not file.exists():
        return ""
    uri = f"{file.as_uri()}?mode=ro"
    try:
        with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS)) as opened:
            [said] = opened.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        if is_damage(error):
            return str(error)
        raise StoreError(f"the database {file} cannot be read: {error}") from error
    return "" if said == "ok" else " ".join(str(said).split())


def put_aside(file: Path) -> Path:
    """Move a database file, with what SQLite keeps beside it, into a new folder; return that.

    Raises OSError.
    """
    number = 1
    while True:
        aside = file.with_name(f"{file.name}-damaged{f'-{number}' if number > 1 else ''}")
        try:
            aside.mkdir(mode=0o700)
            break
        except FileExistsError:
            number += 1
    for end in BESIDE[::-1]:  # the file last: a new one must not find the log of an old one
        with contextlib.suppress(FileNotFoundError):
            file.with_name(f"{file.name}{end}").rename(aside / f"{file.name}{end}")
    return aside
