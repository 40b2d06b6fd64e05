"""The workers that hold, or held, the lease on a database, read without SQLAlchemy."""

import platform
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from abreast.errors import WorkerError
from abreast.process import clock
from abreast.process.identity import Identity
from abreast.store.direct import open_snapshot

# The database's own time, in Unix seconds: the clocks of machines need not agree.
NOW_SQLITE = "((julianday('now') - 2440587.5) * 86400.0)"
NOW_POSTGRES = "(extract(epoch FROM clock_timestamp())::double precision)"
COLUMNS = ("id", "host", "space", "pid", "pid_started", "state_dir", "since")


@dataclass(frozen=True)
class Holder:
    """A worker that has taken a lease and not given it back. `left` is the rest of it, in seconds.

    `host` is the machine as people call it, `since` in Unix seconds.
    """

    executor: str
    host: str
    space: str
    pid: int
    pid_started: float
    state_dir: str
    since: float | None
    left: float

    @property
    def alive(self) -> bool:
        """Whether it lives: known for certain on this machine; elsewhere, while its lease lasts."""
        machine, _, _ = self.space.partition(" ")
        here = this_space()
        if self.space == here:
            return Identity(self.pid, self.pid_started, clock.boot_id()).alive
        if self.host == this_host() and machine not in {"", "-"} and here.startswith(f"{machine} "):
            return self._shares_pids(here) and self.left > 0
        return self.left > 0

    def _shares_pids(self, here: str) -> bool:
        """Return whether it runs since this start of the machine, in a container, say."""
        return self.space.split()[1] == here.split()[1]

    def __str__(self) -> str:
        since = ""
        if self.since is not None:
            since = f", since {time.strftime('%Y-%m-%d %H:%M', time.localtime(self.since))}"
        return f"the worker of {self.state_dir or 'another state folder'} on {self.host}{since}"


def held(holder: Holder) -> WorkerError:
    """Return the error that says who has the database."""
    return WorkerError(
        f"{holder} has this database (process {holder.pid})",
        hint="one worker serves a database: run abreast there, or wait until that worker has "
        "ended, or let ABREAST_DB name another database",
    )


def this_host() -> str:
    """Return this machine's name."""
    return platform.node()


def this_space() -> str:
    """Return what a pid is relative to: machine, boot, and pid namespace (a container's)."""
    machine = Path("/etc/machine-id")
    known = machine.read_text(encoding="ascii").strip() if machine.is_file() else ""
    space = str(Path("/proc/self/ns/pid").readlink()) if sys.platform == "linux" else ""
    return f"{known or '-'} {clock.boot_id() or '-'} {space or '-'}"


def holders(database: str) -> list[Holder]:
    """Return who holds a lease in the database at this URL; raises StoreError."""
    now = NOW_SQLITE if database.startswith("sqlite") else NOW_POSTGRES
    sql = f"SELECT {', '.join(COLUMNS)}, expires - {now} FROM abreast_executors"  # noqa: S608
    with open_snapshot(database) as query:
        return [Holder(*row) for row in query(f"{sql} WHERE state = 'up' ORDER BY id")]
