"""What clients ask for: more attempts, landings, stops. Each request is one transaction."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from abreast.errors import NotFoundError, StateError
from abreast.model.agent_queue import QueueState
from abreast.model.landing import LandOptions
from abreast.model.moment import Moment
from abreast.model.session import (
    FINAL_STATES,
    Attempt,
    LandMode,
    LandState,
    RunState,
    SessionState,
)
from abreast.model.transitions import require_transition
from abreast.process import clock as clocks
from abreast.store.engine import reading, transaction
from abreast.store.loading import load_list
from abreast.store.rows import columns_of, dump_list
from abreast.store.schema import agent_queues, events, runs, sessions


class Writing:
    """What all that writes runs and sessions shares: an engine, a clock, events, a run's moves."""

    def __init__(self, engine: sa.Engine, clock: Callable[[], Moment] = clocks.now) -> None:
        self.engine = engine
        self._clock = clock

    def _append(
        self, db: sa.Connection, run: str, session: str | None, kind: str, text: str
    ) -> None:
        db.execute(
            sa.insert(events).values(
                at=self._clock().wall, run_id=run, session_id=session, kind=kind, text=text
            )
        )

    def _move(
        self,
        db: sa.Connection,
        row: sa.Row[Any],
        state: RunState,
        *,
        anew: bool = False,
        **more: Any,
    ) -> None:
        """Move the run of `row` to `state`, and set `more` of its columns."""
        require_transition(row.id, RunState(row.state), state, anew=anew)
        if state.final and row.ended is None:
            more["ended"] = self._clock().wall
        if state.value != row.state:
            self._append(db, row.id, None, "state", line(state.value, more.get("note")))
        db.execute(sa.update(runs).where(runs.c.id == row.id).values(state=state.value, **more))


def find(db: sa.Connection, table: sa.Table, name: str) -> sa.Row[Any]:
    """Return the row of a run or session, locked until the transaction ends.

    Whoever needs both locks the run first.
    """
    row = db.execute(_locking(table).where(table.c.id == name)).first()
    if row is None:
        raise missing(name)
    return row


def find_all(db: sa.Connection, *which: sa.ColumnElement[bool]) -> Sequence[sa.Row[Any]]:
    """Return the rows of sessions in the plan's order, locked until the transaction ends."""
    return db.execute(_locking(sessions).where(*which).order_by(sessions.c.position)).all()


def _locking(table: sa.Table) -> sa.Select[Any]:
    # FOR NO KEY UPDATE: an event that refers to a run must not wait for the run's own writer.
    return sa.select(table).with_for_update(key_share=True)


def missing(name: str) -> NotFoundError:
    what = "session" if "/" in name else "run"
    return NotFoundError(f"there is no {what} {name}", hint="`abreast status` lists what there is")


def reopen(db: sa.Connection, run: str, states: Collection[QueueState] = tuple(QueueState)) -> None:
    """Have a session try the agents of a run again whose queues are in one of these states.

    A person has asked to go on: they may have logged in, or paid.
    """
    queues = agent_queues.c
    its = sa.select(sessions.c.agent).where(sessions.c.run_id == run)
    closed = [state.value for state in states if state is not QueueState.OPEN]
    which = (queues.agent.in_(its), queues.state.in_(closed))
    values = {"state": QueueState.PARKED.value, "until": 0.0, "probe": "", "tries": 0}
    db.execute(sa.update(agent_queues).where(*which).values(values))


def left_behind(row: sa.Row[Any], cli_session: str) -> dict[str, str]:
    """Return what keeps the id of a CLI session when another takes its place: it has cost, too."""
    if row.cli_session in {"", cli_session}:
        return {}
    earlier = (*load_list(row.earlier_cli_sessions), row.cli_session)
    return {"earlier_cli_sessions": dump_list(dict.fromkeys(earlier))}


def line(word: str, detail: object) -> str:
    return f"{word}: {detail}" if isinstance(detail, str) and detail else word


RESUME, RETRY = "resume", "retry"  # of `sessions.again`: how the next attempt goes on

_FINAL = [state.value for state in FINAL_STATES]


def _landing(row: sa.Row[Any], land: LandMode | None) -> dict[str, str]:
    return {"land": land.value} if land is not None and RunState(row.state).final else {}


class Requests(Writing):
    """The part of the store that clients write: a request is a run's state and its generation."""

    def request_landing(
        self,
        run: str,
        names: Sequence[str],
        land: LandMode,
        target: str,
        options: LandOptions = LandOptions(),  # noqa: B008 (a frozen value)
    ) -> int:
        """Ask that these sessions of a run be landed on `target`; return the new count of requests.

        Those that are not done, or no longer, are left out. They land at once where the run has
        ended, else when its work has.
        """
        with transaction(self.engine) as db:
            row = find(db, runs, run)
            self._queue_landing(db, names)
            asked = {
                "land_order": options.order and options.order.value,
                "land_batch": options.batch,
                "land_tests": options.tests and options.tests.value,
            }
            more = {name: value for name, value in asked.items() if value is not None}
            return self._begin(db, row, RunState.LANDING, land=land.value, target=target, **more)

    def resume(self, run: str, lost: Mapping[str, int], land: LandMode | None = None) -> int:
        """Ask to continue everything of a run that is not done; return the new count of requests.

        For `land` see `again`.

        What has ended is queued for another attempt. A session of `lost`, each with its attempt,
        has no process any more and has not ended yet: once it has, it is queued likewise.
        """
        with transaction(self.engine) as db:
            row = find(db, runs, run)
            for found in find_all(db, sessions.c.run_id == run):
                over = found.state in _FINAL or lost.get(found.id) == found.attempt
                if over and found.state != SessionState.DONE.value:
                    self._again(db, found, lost, fresh=False)
            reopen(db, run)
            return self._begin(db, row, RunState.QUEUED, **_landing(row, land))

    def again(
        self,
        run: str,
        names: Sequence[str],
        lost: Mapping[str, int],
        land: LandMode | None = None,
        *,
        fresh: bool,
    ) -> int:
        """Ask for another attempt at these sessions of a run; return the new count of requests.

        For `lost` see `resume`; for `fresh` and for errors see `next_attempt`. With `land`, a run
        that has ended lands by that from now on, however it was asked to land meanwhile.
        """
        with transaction(self.engine) as db:
            row = find(db, runs, run)
            for session in names:
                self._again(db, find(db, sessions, session), lost, fresh=fresh)
            reopen(db, run)
            return self._begin(db, row, RunState.QUEUED, **_landing(row, land))

    def next_attempt(self, session: str, *, fresh: bool = False) -> int:
        """Queue a session that has ended for another attempt, and return its number.

        Clears the result of the attempt before and a request to stop; its usage stays counted.
        With `fresh` the agent starts over, otherwise the id of its CLI session is kept to go on in.
        Raises StateError when the session has not ended.
        """
        with transaction(self.engine) as db:
            return self._next(db, find(db, sessions, session), fresh=fresh)

    def mark_undone(self, session: str, attempt: int, by: str = "", hint: str = "") -> None:
        """Record that the session `by` has taken back what this one landed; "": it is there again.

        Raises StateError when it has not landed, or is no longer at `attempt`.
        """
        landing = LandState.UNDONE if by else LandState.LANDED
        with transaction(self.engine) as db:
            row = find(db, sessions, session)
            if row.attempt != attempt:
                raise StateError(f"{session} is at attempt {row.attempt}, not {attempt}")
            require_transition(session, LandState(row.landing), landing, anew=True)
            reason = f"undone by {by}" if by else ""
            text = line(landing.value, f"by {by}" if by else row.landed)
            self._append(db, row.run_id, session, "landing", text)
            values = {"landing": landing.value, "reason": reason, "hint": hint, **self._moved()}
            db.execute(sa.update(sessions).where(sessions.c.id == session).values(values))

    def request_stop(self, name: str) -> list[str]:
        """Ask that a session, or a run with all its sessions, be stopped; return the sessions.

        Sessions and runs that have ended are left alone, so the list may be empty.
        """
        with transaction(self.engine) as db:
            is_session = "/" in name
            row = find(db, sessions if is_session else runs, name)
            if not is_session and not RunState(row.state).final:
                self._append(db, name, None, "stop", "stop requested")
                db.execute(sa.update(runs).where(runs.c.id == name).values(stop_requested=True))
            chosen = sessions.c.id == name if is_session else sessions.c.run_id == name
            reached = find_all(db, chosen, sessions.c.state.not_in(_FINAL))
            for found in reached:
                self._append(db, found.run_id, found.id, "stop", "stop requested")
            ids = [str(found.id) for found in reached]
            values = {"stop_requested": True, "again": ""}
            db.execute(sa.update(sessions).where(sessions.c.id.in_(ids)).values(values))
            return ids

    def stop_requested(self, name: str) -> bool:
        """Return whether a run or a session has been asked to stop."""
        table = sessions if "/" in name else runs
        with reading(self.engine) as db:
            found = db.execute(sa.select(table.c.stop_requested).where(table.c.id == name)).scalar()
        if found is None:
            raise missing(name)
        return bool(found)

    def _begin(self, db: sa.Connection, row: sa.Row[Any], state: RunState, **more: Any) -> int:
        """Count one more request to work on a run, and return the new count.

        A run that has ended is put in `state` and may be stopped again; one that has not stays in
        the state it is in.
        """
        generation, now = int(row.generation) + 1, RunState(row.state)
        if now.final:
            again = {"ended": None, "stop_requested": False, "generation": generation}
            self._move(db, row, state, anew=True, **again, **more)
        else:
            self._move(db, row, now, generation=generation, **more)
        return generation

    def _moved(self) -> dict[str, Any]:
        """Return the columns that tell when a session has come into another state: now."""
        now = self._clock()
        return {"moved": now.wall, "moved_tick": now.tick}

    def _queue_landing(self, db: sa.Connection, names: Collection[str]) -> None:
        """Queue those of these sessions for landing that are done."""
        done = sessions.c.state == SessionState.DONE.value
        for row in find_all(db, sessions.c.id.in_(names), done):
            require_transition(row.id, LandState(row.landing), LandState.QUEUED, anew=True)
            queued = {"landing": LandState.QUEUED.value, "landed": "", "reason": "", "hint": ""}
            values = {**queued, **self._moved()}
            db.execute(sa.update(sessions).where(sessions.c.id == row.id).values(values))

    def _again(
        self, db: sa.Connection, row: sa.Row[Any], lost: Mapping[str, int], *, fresh: bool
    ) -> None:
        """Queue the session of `row` for its next attempt; if it is `lost`, once it has ended."""
        if lost.get(row.id) != row.attempt or row.state in _FINAL:
            self._next(db, row, fresh=fresh)
            return
        how = RETRY if fresh else RESUME
        self._append(db, row.run_id, row.id, how, f"{how} requested")
        db.execute(sa.update(sessions).where(sessions.c.id == row.id).values(again=how))

    def _next(
        self, db: sa.Connection, row: sa.Row[Any], *, fresh: bool = False, **more: Any
    ) -> int:
        """Queue the session of `row`, which has ended, for its next attempt; return its number.

        `more` are columns to set. A repair that has not come to its end is gone on with.
        """
        require_transition(row.id, SessionState(row.state), SessionState.QUEUED, anew=True)
        attempt = int(row.attempt) + 1
        values = columns_of(vars(Attempt())) | {
            "started_tick": "",
            "ended_tick": "",
            **self._moved(),
            "state": SessionState.QUEUED.value,
            "attempt": attempt,
            "stop_requested": False,
            "again": "",
            "setbacks": 0,
        }
        if not fresh:
            values["files"] = row.files  # they are still in its worktree
        if fresh:
            values |= {"cli_session": "", "repairs": 0, **left_behind(row, "")}
        if fresh or row.state == SessionState.DONE.value:
            values["mending"] = ""
        self._append(db, row.run_id, row.id, "state", f"queued: attempt {attempt}")
        db.execute(sa.update(sessions).where(sessions.c.id == row.id).values(values | more))
        return attempt
