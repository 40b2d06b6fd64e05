"""What keeps sessions from starting: the queues of agents, and the word of it on each session."""

from collections.abc import Callable
from dataclasses import fields

import sqlalchemy as sa

from abreast.model.agent_queue import AgentQueue, QueueState
from abreast.model.hold import Hold
from abreast.model.session import SessionState
from abreast.store.engine import transaction, upsert
from abreast.store.loading import load_queue
from abreast.store.requests import Writing, find
from abreast.store.rows import columns_of, dump_hold
from abreast.store.schema import agent_queues, sessions

_COLUMNS = [agent_queues.c[one.name] for one in fields(AgentQueue)]


class QueueKeeper(Writing):
    """The part of the store that says why sessions do not start."""

    def change_queue(
        self, agent: str, change: Callable[[AgentQueue], AgentQueue]
    ) -> tuple[AgentQueue, AgentQueue]:
        """Put the queue of an agent into the state that `change` returns; return before and after.

        `change` is given how it stands; nobody else changes it meanwhile.
        """
        with transaction(self.engine) as db:
            key = {"agent": agent}
            # There must be a row to lock; one that is there is left alone.
            fresh = {"state": QueueState.OPEN.value, "since": 0.0}
            db.execute(upsert(db, agent_queues, key, fresh, only_if=sa.false()))
            which = sa.select(*_COLUMNS).where(agent_queues.c.agent == agent).with_for_update()
            before = load_queue(tuple(db.execute(which).one()))
            after = change(before)
            if after != before:
                values = columns_of(vars(after))
                del values["agent"]
                db.execute(upsert(db, agent_queues, key, values))
            return before, after

    def give(self, session: str, agent: str, why: str) -> bool:
        """Give a session that has not started to another agent; return whether it is so."""
        with transaction(self.engine) as db:
            row = find(db, sessions, session)
            if row.state != SessionState.QUEUED.value or row.attempt != 1:
                return False
            if row.agent != agent:
                self._append(db, row.run_id, session, "fallback", why)
                values = {"agent": agent, "held": ""}
                db.execute(sa.update(sessions).where(sessions.c.id == session).values(values))
            return True

    def hold(self, run: str, agent: str, hold: Hold | None) -> None:
        """Record what holds up the sessions of an agent in a run that wait; None: nothing does."""
        held = dump_hold(hold)
        which = (
            sessions.c.run_id == run,
            sessions.c.agent == agent,
            sessions.c.state == SessionState.QUEUED.value,
            sessions.c.held != held,
        )
        with transaction(self.engine) as db:
            db.execute(sa.update(sessions).where(*which).values(held=held))
