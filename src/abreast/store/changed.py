"""Learn that the database has changed, at hardly any cost: no table is read.

SQLite: `PRAGMA data_version` of a connection that stays open; it reads a counter in shared memory,
and is exact. The times of the files are not: two commits can share one, and a write-ahead log that
begins anew keeps its size. PostgreSQL: the snapshot that a query would see, by the transactions in
progress and the newest ended one; it changes exactly when the effects of a writer become visible.
The position in its log does not serve, because it moves before they do. Both also tell of writes
to other tables: whoever looks then finds nothing new.
"""

import contextlib
import os
import sqlite3
from pathlib import Path
from typing import Any

from abreast.errors import StoreError

_SQLITE = "sqlite:///"


class Changed:
    """Tells whether a database may have changed; for one thread. Close it at the end."""

    def __init__(self, database: str) -> None:
        self._database = database
        self._connection: Any = None
        self._file = self._seen = ""

    def poll(self) -> bool:
        """Return whether it has changed since the last call; True the first time, and in doubt.

        Raises StoreError when a database server does not answer.
        """
        now = self._sqlite() if self._database.startswith(_SQLITE) else self._postgres()
        before, self._seen = self._seen, now
        return before != now

    def _sqlite(self) -> str:
        path = Path(self._database.removeprefix(_SQLITE))
        try:
            found = os.stat(path)  # noqa: PTH116 (ten times a second)
        except OSError:
            self.close()
            return "none"
        file = f"{found.st_dev} {found.st_ino}"  # it may have been replaced
        try:
            if self._connection is None or file != self._file:
                self.close()
                uri = f"{path.absolute().as_uri()}?mode=ro"
                self._connection = sqlite3.connect(uri, uri=True, isolation_level=None)
                self._file = file
            row = self._connection.execute("PRAGMA data_version").fetchone()
        except sqlite3.Error:
            self.close()  # whoever reads it will say what is wrong
            return f"{file} {found.st_mtime_ns}"
        return f"{file} {id(self._connection)} {row[0]}"

    def _postgres(self) -> str:
        import psycopg

        address = self._database.replace("postgresql+psycopg://", "postgresql://", 1)
        try:
            if self._connection is None:
                self._connection = psycopg.connect(address, autocommit=True)
            row = self._connection.execute("SELECT pg_current_snapshot()::text").fetchone()
        except psycopg.Error as error:
            self.close()
            raise StoreError(f"the database at its server cannot be read: {error}") from error
        return str(row[0])

    def close(self) -> None:
        """Let go of the database."""
        if self._connection is not None:
            with contextlib.suppress(Exception):
                self._connection.close()
        self._connection = None
