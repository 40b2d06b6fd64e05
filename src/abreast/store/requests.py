"""What clients ask for: more attempts, landings, stops. Each request is one transaction."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from abreast.errors import StateError
from abreast.model.session import Attempt
from abreast.model.states import LandMode, LandState, RunState, SessionState
from abreast.store.engine import transaction
from abreast.store.rows import columns_of
from abreast.store.schema import runs, sessions
from abreast.store.writing import FINAL, Writing, find, left_behind

RESUME, RETRY = "resume", "retry"  # of `sessions.again`: how the next attempt goes on


class Requests(Writing):
    """The part of the store that clients write: a request is a run's state and its generation."""

    def next_generation(self, run: str, state: RunState = RunState.QUEUED) -> int:
        """Count one more request to work on a run, and return the new count.

        A run that has ended is put in `state` and may be stopped again; one that has not stays in
        the state it is in.
        """
        with transaction(self.engine) as db:
            return self._begin(db, find(db, runs, run), state)

    def request_landing(
        self,
        run: str,
        sessions_of_run: Sequence[str],
        land: LandMode,
        target: str,
        *,
        generation: int | None = None,
    ) -> int:
        """Ask that these sessions of a run, all of which have ended, be landed on `target`.

        Returns the new count of requests; 0, and nothing has changed, when it was not `generation`.
        """
        with transaction(self.engine) as db:
            row = find(db, runs, run)
            if generation not in {None, row.generation}:
                return 0
            count = self._begin(db, row, RunState.LANDING, at_once=True)
            chosen = sa.and_(sessions.c.run_id == run, sessions.c.id.in_(sessions_of_run))
            queued = {"landing": LandState.QUEUED.value, "landed": "", "reason": "", "hint": ""}
            db.execute(sa.update(sessions).where(chosen).values(queued))
            wanted = {"land": land.value, "target": target}
            db.execute(sa.update(runs).where(runs.c.id == run).values(wanted))
            return count

    def resume(self, run: str, lost: Mapping[str, int]) -> int:
        """Ask to go on with all of a run that is not done; return the new count of requests.

        What has ended is queued for another attempt. A session of `lost`, each with its attempt,
        has no process any more and has not ended yet: once it has, it is queued likewise.
        """
        with transaction(self.engine) as db:
            row = find(db, runs, run)
            of_run = sa.select(sessions.c.id).where(sessions.c.run_id == run)
            for session in db.execute(of_run.order_by(sessions.c.position)).scalars().all():
                found = find(db, sessions, session)
                if found.state in FINAL and found.state != SessionState.DONE.value:
                    self._next(db, found)
                elif lost.get(session) == found.attempt:
                    self._later(db, found, RESUME)
            return self._begin(db, row, RunState.QUEUED)

    def again(self, run: str, names: Sequence[str], lost: Mapping[str, int], *, fresh: bool) -> int:
        """Ask for another attempt at these sessions of a run; return the new count of requests.

        Of `lost` see `resume`, of `fresh` see `next_attempt`, which raises what this does.
        """
        with transaction(self.engine) as db:
            row = find(db, runs, run)
            for session in names:
                found = find(db, sessions, session)
                if lost.get(session) == found.attempt and found.state not in FINAL:
                    self._later(db, found, RETRY if fresh else RESUME)
                else:
                    self._next(db, found, fresh=fresh)
            return self._begin(db, row, RunState.QUEUED)

    def next_attempt(self, session: str, *, fresh: bool = False) -> int:
        """Queue a session that has ended for another attempt, and return its number.

        Clears the result of the attempt before and a request to stop; its usage stays counted.
        With `fresh` the agent starts over, otherwise the id of its CLI session is kept to go on in.
        Raises StateError when the session has not ended.
        """
        with transaction(self.engine) as db:
            return self._next(db, find(db, sessions, session), fresh=fresh)

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
            reached = (
                sa.select(sessions.c.id, sessions.c.run_id)
                .where(chosen, sessions.c.state.not_in(FINAL))
                .order_by(sessions.c.position)
                .with_for_update(key_share=True)
            )
            found = db.execute(reached).all()
            for session, run in found:
                self._append(db, run, session, "stop", "stop requested")
            ids = [str(session) for session, _ in found]
            values = {"stop_requested": True, "again": ""}
            db.execute(sa.update(sessions).where(sessions.c.id.in_(ids)).values(values))
            return ids

    def stop_requested(self, name: str) -> bool:
        """Tell whether a run or a session has been asked to stop."""
        table = sessions if "/" in name else runs
        return bool(self._read(table.c.stop_requested, name))

    def _begin(
        self, db: sa.Connection, row: sa.Row[Any], state: RunState, *, at_once: bool = False
    ) -> int:
        generation = int(row.generation) + 1
        values: dict[str, Any] = {"generation": generation}
        if RunState(row.state).final:
            values |= {"state": state.value, "ended": None, "stop_requested": False}
        elif at_once:
            values |= {"state": state.value}
        if values.get("state", row.state) != row.state:
            self._append(db, row.id, None, "state", state.value)
        db.execute(sa.update(runs).where(runs.c.id == row.id).values(values))
        return generation

    def _next(self, db: sa.Connection, row: sa.Row[Any], *, fresh: bool = False) -> int:
        """Queue the session of `row`, which has ended, for its next attempt; return its number."""
        if not SessionState(row.state).final:
            raise StateError(
                f"{row.id} has not ended: it is {row.state}", hint=f"abreast stop {row.id}"
            )
        attempt = int(row.attempt) + 1
        values = columns_of(vars(Attempt())) | {
            "started_tick": "",
            "ended_tick": "",
            "state": SessionState.QUEUED.value,
            "attempt": attempt,
            "stop_requested": False,
            "again": "",
        }
        if fresh:
            values |= {"cli_session": "", **left_behind(row, "")}
        self._append(db, row.run_id, row.id, "state", f"queued: attempt {attempt}")
        db.execute(sa.update(sessions).where(sessions.c.id == row.id).values(values))
        return attempt

    def _later(self, db: sa.Connection, row: sa.Row[Any], how: str) -> None:
        """Ask that the session of `row` be queued for its next attempt as soon as it has ended."""
        self._append(db, row.run_id, row.id, how, f"{how} requested")
        db.execute(sa.update(sessions).where(sessions.c.id == row.id).values(again=how))
