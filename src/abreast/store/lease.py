"""The lease on an executor id: at most one living process may act under an id.

DBOS lets a second process of the same id steal the running workflows of the first, and never
notices that an executor is dead; the lease answers both. All times are the database's, so the
clocks of machines need not agree. There are no threads here: whoever holds a lease calls `renew`
every few seconds, and ends itself when `must_fence` says so.
"""

import platform
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from abreast.errors import WorkerError
from abreast.process.identity import Identity, identify
from abreast.store.engine import transaction
from abreast.store.schema import executors
from abreast.store.upsert import upsert

FENCE_AT = 0.6


def must_fence(*, held: bool, since_renewal: float, ttl: float) -> bool:
    """Tell whether a holder must stop its agents and end, before others take its work over.

    `held` is the last answer of `renew`; `since_renewal` and `ttl` are seconds. A holder that could
    not renew gives up at 60 % of the time to live, which leaves the rest for stopping.
    """
    return not held or since_renewal >= ttl * FENCE_AT


def this_host() -> str:
    """Name the place in which a pid means something: this machine, this container."""
    space = str(Path("/proc/self/ns/pid").readlink()) if sys.platform == "linux" else ""
    return f"{platform.node()} {space}".strip()


@dataclass(frozen=True)
class Lease:
    """A hold on `executor` for `ttl` seconds after each renewal; `boot` is new for each holder."""

    engine: sa.Engine
    executor: str
    ttl: float
    boot: str

    def renew(self) -> bool:
        """Extend the lease from now on; False when it has run out or is another's.

        Raises StoreError when the database does not answer: then nobody knows, and time runs.
        """
        with transaction(self.engine) as db:
            now = _now(db)
            statement = (
                sa.update(executors)
                .where(self._mine(), executors.c.expires > now)
                .values(expires=now + self.ttl)
            )
            return db.execute(statement).rowcount == 1

    def release(self) -> None:
        """Give the id back, so that the next process need not wait; nothing if it is not ours."""
        with transaction(self.engine) as db:
            db.execute(sa.update(executors).where(self._mine()).values(state="free"))

    def expired(self) -> list[str]:
        """Return the executors (never this one) that are dead and whose work is to be taken over.

        Each is returned, to every caller, until someone says `mark_reaped`: taking over may be
        cut short, and must then be done by another.
        """
        with transaction(self.engine) as db:
            others = executors.c.id != self.executor
            run_out = sa.and_(executors.c.state == "up", executors.c.expires < _now(db))
            db.execute(sa.update(executors).where(others, run_out).values(state="dead"))
            dead = sa.select(executors.c.id).where(others, executors.c.state == "dead")
            return list(db.execute(dead.order_by(executors.c.id)).scalars())

    def mark_reaped(self, executor: str) -> None:
        """Record that nothing of a dead executor's work is left to take over."""
        with transaction(self.engine) as db:
            dead = sa.and_(executors.c.id == executor, executors.c.state == "dead")
            db.execute(sa.update(executors).where(dead).values(state="reaped"))

    def _mine(self) -> sa.ColumnElement[bool]:
        return sa.and_(
            executors.c.id == self.executor,
            executors.c.boot == self.boot,
            executors.c.state == "up",
        )


def acquire(
    engine: sa.Engine, executor: str, *, ttl: float, process: Identity | None = None
) -> Lease:
    """Take the lease on `executor` for `process`, by default this one.

    A lease that has run out or was released is free; so is, without any waiting, one whose process
    ran on this host and is dead. Raises WorkerError when another process holds it.
    """
    owner = process or identify()
    lease = Lease(engine, executor, ttl, uuid.uuid4().hex)
    with transaction(engine) as db:
        holder = db.execute(
            sa.select(executors).where(executors.c.id == executor).with_for_update()
        ).first()
        free = sa.or_(executors.c.state != "up", executors.c.expires < _now(db))
        if holder is not None and _is_dead(holder):
            free = sa.or_(free, executors.c.boot == holder.boot)
        values = {
            "boot": lease.boot,
            "expires": _now(db) + ttl,
            "state": "up",
            "host": this_host(),
            "pid": owner.pid,
            "pid_started": owner.started,
        }
        taken = upsert(db, executors, {"id": executor}, values, only_if=free)
        if db.execute(taken.returning(executors.c.boot)).first() is None:
            raise _held(executor, holder)
    return lease


def _is_dead(holder: sa.Row[Any]) -> bool:
    here = holder.host == this_host()
    return here and not Identity(holder.pid, holder.pid_started).alive


def _held(executor: str, holder: sa.Row[Any] | None) -> WorkerError:
    by = f"process {holder.pid} on {holder.host.partition(' ')[0]}" if holder else "another process"
    return WorkerError(
        f"executor {executor} is held by {by}",
        hint="one worker serves a machine; stop the other one first, or wait until its lease ends",
    )


def _now(db: sa.Connection) -> sa.ColumnElement[float]:
    """Return the database's own time, in Unix seconds."""
    if db.dialect.name == "sqlite":
        text = "((julianday('now') - 2440587.5) * 86400.0)"
    else:
        text = "(extract(epoch FROM clock_timestamp())::double precision)"
    return sa.literal_column(text, sa.Double)
