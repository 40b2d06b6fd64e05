"""The lease on a database: at most one living worker acts on what it holds.

DBOS lets a second process of the same id steal the running workflows of the first, lets any process
take what another has queued, and never notices that one is dead; the lease answers all of that. All
times are the database's, so the clocks of machines need not agree. There are no threads here:
whoever holds a lease calls `renew` every few seconds, and stops when `must_fence` says so.
"""

import uuid
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from abreast.process import clock
from abreast.process.identity import Identity, identify
from abreast.store.engine import transaction, upsert
from abreast.store.holders import (
    COLUMNS,
    NOW_POSTGRES,
    NOW_SQLITE,
    Holder,
    held,
    this_host,
    this_space,
)
from abreast.store.schema import executors

FENCE_AT = 0.6


def must_fence(*, held: bool, since_renewal: float, ttl: float) -> bool:
    """Return whether a holder must stop acting, before another may take its place.

    `held` is the last answer of `renew`; `since_renewal` and `ttl` are seconds, asleep or awake. A
    holder that could not renew gives up at 60 % of the time to live.
    """
    return not held or since_renewal >= ttl * FENCE_AT


@dataclass(frozen=True)
class Lease:
    """A hold on `executor` for `ttl` seconds after each renewal; `boot` is new for each holder."""

    engine: sa.Engine
    executor: str
    ttl: float
    boot: str

    def renew(self) -> bool:
        """Extend the lease from now on; False when another has taken its place.

        One that has run out and that nobody has taken is still ours: the machine has slept, or a
        clock was set. Raises StoreError when the database does not answer: then nobody knows, and
        time runs.
        """
        with transaction(self.engine) as db:
            longer = {"expires": _now(db) + self.ttl}
            statement = sa.update(executors).where(self._mine()).values(longer)
            return db.execute(statement).rowcount == 1

    def release(self) -> None:
        """Give the id back, so that the next process need not wait; nothing if it is not ours."""
        with transaction(self.engine) as db:
            db.execute(sa.update(executors).where(self._mine()).values(state="free"))

    def others(self) -> list[str]:
        """Return the ids of all who have acted on this database before; none of them lives."""
        with transaction(self.engine) as db:
            found = sa.select(executors.c.id).where(executors.c.id != self.executor)
            return list(db.execute(found.order_by(executors.c.id)).scalars())

    def _mine(self) -> sa.ColumnElement[bool]:
        return sa.and_(
            executors.c.id == self.executor,
            executors.c.boot == self.boot,
            executors.c.state == "up",
        )


def acquire(
    engine: sa.Engine,
    executor: str,
    *,
    ttl: float,
    process: Identity | None = None,
    state_dir: Path | str = "",
    again: bool = False,
) -> Lease:
    """Take the lease for the worker `executor` of a state folder, by default for this process.

    Raises WorkerError while another worker lives, of this id or of any other. One that ran on this
    machine and is dead is known to be; one elsewhere counts as alive until its lease has run out.
    The dead are shut out: should one of them only have slept, it can no longer renew. With `again`
    this process may have held the lease before.
    """
    owner = process or identify()
    lease = Lease(engine, executor, ttl, uuid.uuid4().hex)
    with transaction(engine) as db:
        if db.dialect.name == "postgresql":  # two that begin at the same moment: one waits
            db.execute(sa.text("LOCK TABLE abreast_executors IN SHARE ROW EXCLUSIVE MODE"))
        for holder in _holders(db):
            mine = again and (holder.executor, holder.pid) == (executor, owner.pid)
            if holder.alive and not mine:
                raise held(holder)
        up = executors.c.state == "up"
        db.execute(sa.update(executors).where(up).values(state="dead"))
        values = {
            "boot": lease.boot,
            "expires": _now(db) + ttl,
            "state": "up",
            "host": this_host(),
            "space": this_space(),
            "pid": owner.pid,
            "pid_started": owner.started,
            "state_dir": str(state_dir),
            "since": clock.wall(),
        }
        db.execute(upsert(db, executors, {"id": executor}, values))
    return lease


def _holders(db: sa.Connection) -> list[Holder]:
    told = [executors.c[name] for name in COLUMNS]
    query = sa.select(*told, executors.c.expires - _now(db)).where(executors.c.state == "up")
    return [Holder(*tuple(row)) for row in db.execute(query.order_by(executors.c.id))]


def _now(db: sa.Connection) -> sa.ColumnElement[float]:
    """Return the database's own time, in Unix seconds."""
    text = NOW_SQLITE if db.dialect.name == "sqlite" else NOW_POSTGRES
    return sa.literal_column(text, sa.Double)
