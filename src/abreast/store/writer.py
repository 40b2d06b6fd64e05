"""Everything that changes a run or a session in the database: one method, one transaction.

Each method first appends an event that tells what happens, then updates the row. Two writers of
one session take turns (SQLite: the write lock; PostgreSQL: a lock on the session's row), so that
the ids of a session's events grow in the order in which readers come to see them.
"""

from collections.abc import Callable, Mapping
from operator import attrgetter
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

from abreast.errors import StateError
from abreast.model.agent_queue import QueueState
from abreast.model.budget import Consumption
from abreast.model.conflicts import WorkConflict, told_files
from abreast.model.gate import GateMode
from abreast.model.limits import Profile
from abreast.model.moment import Moment
from abreast.model.session import LandState, Run, RunState, Session, SessionState
from abreast.model.task import Deliverable
from abreast.model.transitions import require_transition
from abreast.model.usage import Usage
from abreast.process import clock
from abreast.store.agent_queues import QueueKeeper
from abreast.store.engine import transaction, upsert
from abreast.store.loading import (
    NUMBERS,
    RUN_COLUMNS,
    SESSION_COLUMNS,
    load_conflicts,
    load_run,
    load_session,
)
from abreast.store.questions import QuestionBook
from abreast.store.requests import RETRY, Requests, find, find_all, left_behind, line, reopen
from abreast.store.rows import UNSET, SessionUpdate, columns_of, run_row
from abreast.store.schema import deliverables, judgements, runs, sessions, spending, usage
from abreast.store.spent import QUARTER, SPENT
from abreast.store.told import NoteBook

_OF_RUN, _OF_SESSION = attrgetter(*RUN_COLUMNS), attrgetter(*SESSION_COLUMNS)


class Store(Requests, QuestionBook, NoteBook, QueueKeeper):
    """Writes runs and sessions. Safe to use from threads; the database must be migrated.

    Methods that name a run or a session raise NotFoundError when there
    is none; all raise StoreError when the database does not answer.
    """

    def add_run(self, run: Run, plan_json: str, judged: tuple[GateMode, str] | None = None) -> None:
        """Record a new run with its sessions, in the order of `run.sessions`.

        `judged` is what the gate was to do, and its judgement as JSON.

        Raises StateError when there is a run of this id.
        """
        with transaction(self.engine) as db:
            if db.execute(sa.select(runs.c.id).where(runs.c.id == run.id)).first():
                raise StateError(f"the run {run.id} already exists")
            last = sa.select(sa.func.coalesce(sa.func.max(runs.c.ordinal), 0))
            more = {"plan": plan_json, "ordinal": db.execute(last).scalar_one() + 1}
            db.execute(sa.insert(runs).values(run_row(run) | more))
            rows = [columns_of(vars(one)) | {"position": at} for at, one in enumerate(run.sessions)]
            if rows:
                db.execute(sa.insert(sessions), rows)
                reopen(db, run.id, [QueueState.STOPPED])
            if judged:
                mode, said = judged
                row = {"run_id": run.id, "mode": mode.value, "said": said}
                db.execute(sa.insert(judgements).values(row))
            self._append(db, run.id, None, "state", run.state.value)

    def set_happened(self, run: str, happened: str) -> None:
        """Keep what has become of a run that the gate had judged, as JSON."""
        with transaction(self.engine) as db:
            change = sa.update(judgements).where(judgements.c.run_id == run)
            db.execute(change.values(happened=happened))

    def set_run_state(self, run: str, state: RunState, *, note: str | None = None) -> None:
        """Move a run to `state`, and say `note` about it if given; sets `ended` when final.

        Raises StateError when the run cannot go there from the state that it is in.
        """
        with transaction(self.engine) as db:
            more: dict[str, Any] = {} if note is None else {"note": note}
            self._move(db, find(db, runs, run), state, **more)

    def move_run(
        self,
        run: str,
        generation: int,
        judge: Callable[[Run, bool], RunState | None],
        lands: Callable[[Session], bool] = attrgetter("lands"),
    ) -> RunState | None:
        """Move a run to the state that `judge` returns, and return that; None: nothing changes.

        `judge` is given the run with its sessions, and whether it is asked to stop: nothing of
        that changes until the run has moved. On its way to `LANDING`, which counts as another
        request, the sessions of which `lands` is true are queued for it. Nobody is asked about a
        run that has ended, or whose latest request is not `generation`. Raises StateError when the
        run cannot go there.
        """
        with transaction(self.engine) as db:
            row = find(db, runs, run)
            if row.generation != generation or RunState(row.state).final:
                return None
            rows = find_all(db, sessions.c.run_id == run)
            found = load_run(_OF_RUN(row), tuple(load_session(_OF_SESSION(one)) for one in rows))
            state = judge(found, bool(row.stop_requested))
            if state is RunState.LANDING:
                self._queue_landing(db, [one.id for one in found.sessions if lands(one)])
                self._move(db, row, state, generation=generation + 1)
            elif state is not None:
                self._move(db, row, state)
            return state

    def update_session(
        self,
        session: str,
        change: SessionUpdate,
        *,
        event: tuple[str, str] | None = None,
        attempt: int | None = None,
    ) -> None:
        """Apply `change` and append `event` (kind, text), in one transaction.

        Without `event`, a new state or landing is its own event, and other changes leave none.
        Raises StateError when the session cannot go to that state or landing from the one it is in,
        or is no longer at `attempt`.
        """
        with transaction(self.engine) as db:
            self._change(db, find(db, sessions, session), change, event, attempt)

    def end_session(
        self,
        session: str,
        change: SessionUpdate,
        *,
        attempt: int | None = None,
        generation: int | None = None,
        again: bool = False,
    ) -> int:
        """Apply `change`, which ends a session; return its next attempt if one is asked for, or 0.

        One that is done, or was stopped, is not tried again; but where `again`, whoever has not
        been asked to stop goes on at once. Raises StateError as `update_session`
        does, and when its run's latest request is not `generation`.
        """
        with transaction(self.engine) as db:
            if generation is not None:
                run = find(db, runs, session.partition("/")[0])
                if run.generation != generation:
                    raise StateError(f"{run.id} is at request {run.generation}, not {generation}")
            row = find(db, sessions, session)
            self._change(db, row, change, None, attempt)
            if again and not row.again and not row.stop_requested:
                return self._next(db, find(db, sessions, session), setbacks=row.setbacks)
            if not row.again or change.state in {SessionState.DONE, SessionState.STOPPED}:
                return 0
            return self._next(db, find(db, sessions, session), fresh=row.again == RETRY)

    def _change(
        self,
        db: sa.Connection,
        row: sa.Row[Any],
        change: SessionUpdate,
        event: tuple[str, str] | None,
        attempt: int | None,
    ) -> None:
        if attempt is not None and row.attempt != attempt:
            raise StateError(f"{row.id} is at attempt {row.attempt}, not {attempt}")
        values = change.values() | self._times(row, change)
        if change.cli_session is not UNSET:
            values |= left_behind(row, change.cli_session)
        if row.held and change.state not in {UNSET, SessionState.QUEUED}:
            values["held"] = ""
        if change.state is not UNSET:
            require_transition(row.id, SessionState(row.state), change.state)
        if change.landing is not UNSET:
            require_transition(row.id, LandState(row.landing), change.landing)
        for kind, text in [event] if event else _told(row, change):
            self._append(db, row.run_id, row.id, kind, text)
        if values:
            db.execute(sa.update(sessions).where(sessions.c.id == row.id).values(values))

    def set_conflicts(
        self, session: str, attempt: int, found: tuple[WorkConflict, ...]
    ) -> tuple[WorkConflict, ...]:
        """Replace the conflicts of a session; return those that are new.

        What begins, and what is over, is an event. Nothing is written about an attempt that a newer
        one has followed.
        """
        with transaction(self.engine) as db:
            row = find(db, sessions, session)
            if row.attempt != attempt:
                return ()
            known = {one.key: one for one in load_conflicts(row.conflicts)}
            begun = tuple(one for one in found if one.key not in known)
            there = {(one.other, one.is_target) for one in found}
            over = [one for one in known.values() if (one.other, one.is_target) not in there]
            told = [f"no longer conflicts with {one.other}" for one in over]
            for text in (*told, *map(_conflict, begun)):
                self._append(db, row.run_id, row.id, "conflict", text)
            values = columns_of({"conflicts": found})
            db.execute(sa.update(sessions).where(sessions.c.id == session).values(values))
            return begun

    def begin_repair(self, session: str, bounce: SessionUpdate, *, attempt: int) -> int:
        """Record a bounce, and queue the session for its repair; return its next attempt.

        `bounce.mending` is the merge that it goes on from. All of it happens or nothing: raises
        StateError when the session is no longer at `attempt`, or its landing is not queued.
        """
        with transaction(self.engine) as db:
            row = find(db, sessions, session)
            self._change(db, row, bounce, None, attempt)
            repairs = int(row.repairs) + 1
            text = f"{repairs} of {row.most_repairs}: {bounce.reason}"
            self._append(db, row.run_id, session, "repair", text)
            more: dict[str, Any] = {
                "repairs": repairs,
                "mending": bounce.mending,
                "reason": bounce.reason,
            }
            return self._next(db, find(db, sessions, session), **more)

    def add_event(self, name: str, kind: str, text: str) -> None:
        """Append an event to the story of a run or of a session."""
        with transaction(self.engine) as db:
            if "/" in name:
                self._append(db, find(db, sessions, name).run_id, name, kind, text)
            else:
                find(db, runs, name)
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
            find(db, sessions, session)
            for model, part in {**by_model, "": total}.items():
                key = {"session_id": session, "attempt": attempt, "model": model}
                db.execute(upsert(db, usage, key, vars(part)))
            totals = sa.select(
                *(sa.func.sum(usage.c[name]).label(name) for name in NUMBERS),
                sa.func.max(usage.c.source).label("usage_source"),
            ).where(usage.c.session_id == session, usage.c.model == "")
            values = dict(db.execute(totals).one()._mapping)  # noqa: SLF001  (SQLAlchemy's public name)
            db.execute(sa.update(sessions).where(sessions.c.id == session).values(values))

    def set_spending(self, session: str, attempt: int, spent: Consumption) -> None:
        """Note what an attempt has used in all by now; its minutes are not kept."""
        with transaction(self.engine) as db:
            quarter = int(self._clock().wall // QUARTER)
            key = {"session_id": session, "attempt": attempt, "quarter": quarter}
            values = {name: getattr(spent, name) for name in SPENT}
            db.execute(upsert(db, spending, key, values))

    def _times(self, row: sa.Row[Any], change: SessionUpdate) -> dict[str, Any]:
        now = self._clock()
        state = row.state if change.state is UNSET else change.state.value
        landing = row.landing if change.landing is UNSET else change.landing.value
        stays = (state, landing) == (row.state, row.landing)
        times = {} if stays else _at("moved", UNSET, now)
        if change.state is UNSET:
            return times
        if change.state is not SessionState.QUEUED and row.started is None:
            times |= _at("started", change.started, now)
        if change.state.final and row.ended is None:
            times |= _at("ended", change.ended, now)
        return times


def _at(name: str, given: float | None, now: Moment) -> dict[str, Any]:
    return {name: now.wall, f"{name}_tick": now.tick} if given is UNSET else {}


def _told(row: sa.Row[Any], change: SessionUpdate) -> list[tuple[str, str]]:
    told = []
    if change.state is not UNSET and change.state.value != row.state:
        told.append(("state", line(change.state.value, change.reason)))
    if change.landing is not UNSET and change.landing.value != row.landing:
        landed = change.landed if change.landed is not UNSET else ""
        told.append(("landing", line(change.landing.value, landed or change.reason)))
    return told


def _conflict(found: WorkConflict) -> str:
    """Return what is told of a conflict that has begun: a line, and one for each file."""
    moved = ", as it is now" if found.is_target else ""
    return "\n".join(
        [f"conflicts with {found.other}{moved}:", *told_files(found.files, found.more)]
    )


def record_deliverable(engine: sa.Engine, found: Deliverable, profile: Profile) -> None:
    """Write the figures of a deliverable, in the place of an earlier attempt's."""
    account, estimate = found.account, found.estimate
    values = {
        "at": clock.wall(),
        "agent": found.agent,
        "profile": profile.value,
        "outcome": found.outcome.value,
        "repairs": found.repairs,
        "bytes": found.bytes,
        "tokens": found.tokens,
        "start_up": account.start_up if account else None,
        "child_total": account.child_total if account else None,
        "kept_out": account.kept_out if account else None,
        "summary": account.summary if account else None,
        "net": account.net if account else None,
        "expected_net": estimate.net if estimate else None,
        "sha256": found.sha256,
        "path": found.path,
    }
    with transaction(engine) as db:
        db.execute(upsert(db, deliverables, {"session_id": found.id}, values))
