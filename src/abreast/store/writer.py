"""Everything that changes a run or a session in the database: one method, one transaction.

Each method first appends an event that tells what happens, then updates the row. Two writers of
one session take turns (SQLite: the write lock; PostgreSQL: a lock on the session's row), so that
the ids of a session's events grow in the order in which readers come to see them.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

from abreast.errors import NotFoundError, StateError
from abreast.model.session import Run
from abreast.model.states import FINAL_STATES, LandMode, LandState, RunState, SessionState
from abreast.model.usage import Usage
from abreast.store.changes import RESULT_FIELDS, UNSET, Change, require_transition
from abreast.store.engine import reading, transaction
from abreast.store.rows import NUMBERS, run_row, session_row, usage_row
from abreast.store.schema import events, runs, sessions, usage
from abreast.store.text import dump_list, load_list
from abreast.store.upsert import upsert


class Store:
    """Writes runs and sessions. Safe to use from threads; the database must be migrated.

    `clock` gives Unix seconds. Methods that name a run or a session raise NotFoundError when there
    is none; all raise StoreError when the database does not answer.
    """

    def __init__(self, engine: sa.Engine, clock: Callable[[], float] = time.time) -> None:
        self.engine = engine
        self._clock = clock

    def add_run(self, run: Run, plan_json: str, *, common_dir: str = "") -> None:
        """Record a new run with its sessions, in the order of `run.sessions`.

        Raises StateError when there is a run of this id.
        """
        with transaction(self.engine) as db:
            if db.execute(sa.select(runs.c.id).where(runs.c.id == run.id)).first():
                raise StateError(f"there is a run {run.id} already")
            db.execute(
                sa.insert(runs).values(run_row(run) | {"plan": plan_json, "common_dir": common_dir})
            )
            rows = [session_row(session, at) for at, session in enumerate(run.sessions)]
            if rows:
                db.execute(sa.insert(sessions), rows)
            self._append(db, run.id, None, "state", run.state.value)

    def load_plan_json(self, run: str) -> str:
        """Return the plan of a run as it was given to `add_run`."""
        return str(self._read(runs.c.plan, run))

    def set_run_state(self, run: str, state: RunState, *, note: str | None = None) -> None:
        """Move a run to `state`, and say `note` about it if given; sets `ended` when final.

        Raises StateError when the run has ended in another state.
        """
        with transaction(self.engine) as db:
            row = _find(db, runs, run)
            require_transition(run, RunState(row.state), state)
            values: dict[str, Any] = {"state": state.value}
            if note is not None:
                values["note"] = note
            if state.final and row.ended is None:
                values["ended"] = self._clock()
            if state.value != row.state:
                self._append(db, run, None, "state", _line(state.value, note))
            db.execute(sa.update(runs).where(runs.c.id == run).values(values))

    def next_generation(self, run: str, state: RunState = RunState.QUEUED) -> int:
        """Count one more request to work on a run, and return the new count.

        A run that has ended is put in `state` and may be stopped again; one that has not stays in
        the state it is in.
        """
        with transaction(self.engine) as db:
            return self._begin(db, run, state)

    def request_landing(
        self, run: str, sessions_of_run: Sequence[str], land: LandMode, target: str
    ) -> int:
        """Ask that these sessions of a run, all of which have ended, be landed on `target`.

        Returns the new count of requests.
        """
        with transaction(self.engine) as db:
            generation = self._begin(db, run, RunState.LANDING, at_once=True)
            chosen = sa.and_(sessions.c.run_id == run, sessions.c.id.in_(sessions_of_run))
            queued = {"landing": LandState.QUEUED.value, "landed": "", "reason": "", "hint": ""}
            db.execute(sa.update(sessions).where(chosen).values(queued))
            wanted = {"land": land.value, "target": target}
            db.execute(sa.update(runs).where(runs.c.id == run).values(wanted))
            return generation

    def _begin(self, db: sa.Connection, run: str, state: RunState, *, at_once: bool = False) -> int:
        row = _find(db, runs, run)
        generation = int(row.generation) + 1
        values: dict[str, Any] = {"generation": generation}
        if RunState(row.state).final:
            values |= {"state": state.value, "ended": None, "stop_requested": False}
        elif at_once:
            values |= {"state": state.value}
        if values.get("state", row.state) != row.state:
            self._append(db, run, None, "state", state.value)
        db.execute(sa.update(runs).where(runs.c.id == run).values(values))
        return generation

    def update_session(
        self,
        session: str,
        change: Change,
        *,
        event: tuple[str, str] | None = None,
        attempt: int | None = None,
    ) -> None:
        """Apply `change` and append `event` (kind, text), in one transaction.

        Without `event`, a new state or landing is its own event, and other changes leave none.
        Raises StateError when the session has ended in another state, or is no longer at `attempt`.
        """
        with transaction(self.engine) as db:
            row = _find(db, sessions, session)
            if attempt is not None and row.attempt != attempt:
                raise StateError(f"{session} is at attempt {row.attempt}, no longer at {attempt}")
            values = change.values() | self._times(row, change)
            if change.cli_session is not UNSET:
                values |= _left_behind(row, change.cli_session)
            if change.state is not UNSET:
                require_transition(session, SessionState(row.state), change.state)
            for kind, text in [event] if event else _told(row, change):
                self._append(db, row.run_id, session, kind, text)
            if values:
                db.execute(sa.update(sessions).where(sessions.c.id == session).values(values))

    def next_attempt(self, session: str, *, fresh: bool = False) -> int:
        """Queue a session that has ended for another attempt, and return its number.

        Clears the result of the attempt before and a request to stop; its usage stays counted.
        With `fresh` the agent starts over, otherwise the id of its CLI session is kept to go on in.
        Raises StateError when the session has not ended.
        """
        with transaction(self.engine) as db:
            row = _find(db, sessions, session)
            if not SessionState(row.state).final:
                raise StateError(
                    f"{session} has not ended: it is {row.state}", hint=f"abreast stop {session}"
                )
            attempt = int(row.attempt) + 1
            values = RESULT_FIELDS.values() | {
                "state": SessionState.QUEUED.value,
                "attempt": attempt,
                "stop_requested": False,
            }
            if fresh:
                values |= {"cli_session": "", **_left_behind(row, "")}
            self._append(db, row.run_id, session, "state", f"queued: attempt {attempt}")
            db.execute(sa.update(sessions).where(sessions.c.id == session).values(values))
            return attempt

    def request_stop(self, name: str) -> list[str]:
        """Ask that a session, or a run with all its sessions, be stopped; return the sessions.

        Sessions and runs that have ended are left alone, so the list may be empty.
        """
        with transaction(self.engine) as db:
            is_session = "/" in name
            row = _find(db, sessions if is_session else runs, name)
            if not is_session and not RunState(row.state).final:
                self._append(db, name, None, "stop", "stop requested")
                db.execute(sa.update(runs).where(runs.c.id == name).values(stop_requested=True))
            chosen = sessions.c.id == name if is_session else sessions.c.run_id == name
            reached = (
                sa.select(sessions.c.id, sessions.c.run_id)
                .where(chosen, sessions.c.state.not_in(_FINAL))
                .order_by(sessions.c.position)
                .with_for_update(key_share=True)
            )
            found = db.execute(reached).all()
            for session, run in found:
                self._append(db, run, session, "stop", "stop requested")
            ids = [str(session) for session, _ in found]
            db.execute(
                sa.update(sessions).where(sessions.c.id.in_(ids)).values(stop_requested=True)
            )
            return ids

    def stop_requested(self, name: str) -> bool:
        """Tell whether a run or a session has been asked to stop."""
        table = sessions if "/" in name else runs
        return bool(self._read(table.c.stop_requested, name))

    def add_event(self, name: str, kind: str, text: str) -> None:
        """Append an event to the story of a run or of a session."""
        with transaction(self.engine) as db:
            if "/" in name:
                self._append(db, _find(db, sessions, name).run_id, name, kind, text)
            else:
                _find(db, runs, name)
                self._append(db, name, None, kind, text)

    def set_usage(
        self,
        session: str,
        attempt: int,
        total: Usage,
        by_model: Mapping[str, Usage] = MappingProxyType({}),
    ) -> None:
        """Replace the usage of one attempt: its total, and the part of each model.

        The session's own usage becomes the sum of its attempts' totals.
        """
        with transaction(self.engine) as db:
            _find(db, sessions, session)
            for model, part in {**by_model, "": total}.items():
                key = {"session_id": session, "attempt": attempt, "model": model}
                db.execute(upsert(db, usage, key, usage_row(part)))
            totals = sa.select(
                *(sa.func.sum(usage.c[name]).label(name) for name in NUMBERS),
                sa.func.max(usage.c.source).label("usage_source"),
            ).where(usage.c.session_id == session, usage.c.model == "")
            values = dict(db.execute(totals).one()._mapping)  # noqa: SLF001  (SQLAlchemy's public name)
            db.execute(sa.update(sessions).where(sessions.c.id == session).values(values))

    def _read(self, column: sa.Column[Any], name: str) -> Any:
        with reading(self.engine) as db:
            row = db.execute(sa.select(column).where(column.table.c.id == name)).first()
        if row is None:
            raise _missing(name)
        return row[0]

    def _times(self, row: sa.Row[Any], change: Change) -> dict[str, float]:
        if change.state is UNSET:
            return {}
        times = {}
        if change.state is not SessionState.QUEUED and row.started is None:
            times["started"] = self._clock()
        if change.state.final and row.ended is None:
            times["ended"] = self._clock()
        return {name: at for name, at in times.items() if getattr(change, name) is UNSET}

    def _append(
        self, db: sa.Connection, run: str, session: str | None, kind: str, text: str
    ) -> None:
        db.execute(
            sa.insert(events).values(
                at=self._clock(), run_id=run, session_id=session, kind=kind, text=text
            )
        )


_FINAL = [state.value for state in FINAL_STATES]


def _find(db: sa.Connection, table: sa.Table, name: str) -> sa.Row[Any]:
    """Return the row of a run or session, locked until the transaction ends."""
    # FOR NO KEY UPDATE: an event that refers to a run must not wait for the run's own writer.
    query = sa.select(table).where(table.c.id == name).with_for_update(key_share=True)
    row = db.execute(query).first()
    if row is None:
        raise _missing(name)
    return row


def _left_behind(row: sa.Row[Any], cli_session: str) -> dict[str, str]:
    """Return what keeps the id of a CLI session when another takes its place: it has cost, too."""
    if row.cli_session in {"", cli_session}:
        return {}
    earlier = (*load_list(row.earlier_cli_sessions), row.cli_session)
    return {"earlier_cli_sessions": dump_list(dict.fromkeys(earlier))}


def _missing(name: str) -> NotFoundError:
    what = "session" if "/" in name else "run"
    return NotFoundError(f"there is no {what} {name}", hint="`abreast status` lists what there is")


def _told(row: sa.Row[Any], change: Change) -> list[tuple[str, str]]:
    told = []
    if change.state is not UNSET and change.state.value != row.state:
        told.append(("state", _line(change.state.value, change.reason)))
    if change.landing is not UNSET and change.landing.value != row.landing:
        told.append(("landing", _line(change.landing.value, change.landed)))
    return told


def _line(word: str, detail: object) -> str:
    return f"{word}: {detail}" if isinstance(detail, str) and detail else word
