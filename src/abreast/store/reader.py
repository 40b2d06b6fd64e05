"""Reads runs and sessions without SQLAlchemy or DBOS, for commands that must answer at once.

Each call opens the database for itself, sees one moment of it, and changes nothing: not even a
missing database file is created. What does not exist yet is empty, not an error.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from abreast.errors import NotFoundError
from abreast.model.agent_queue import AgentQueue
from abreast.model.session import LogEvent, Run, Session, SessionKind, SessionState
from abreast.model.usage import Usage
from abreast.store.direct import open_snapshot
from abreast.store.loading import (
    NEWEST,
    NOT_FINAL,
    NUMBERS,
    OF_RUN,
    OF_SESSION,
    QUEUES,
    RUNS,
    SESSION_COLUMNS,
    SESSIONS,
    load_event,
    load_list,
    load_queue,
    load_run,
    load_session,
)

if TYPE_CHECKING:
    from abreast.model.question import Question
    from abreast.store.spent import Attempts

# Written for both databases; `?` stands for a parameter.
_RECORDS = (
    f"SELECT {OF_SESSION}, {OF_RUN}, s.stop_requested "  # noqa: S608
    "FROM abreast_sessions s JOIN abreast_runs r ON r.id = s.run_id"
)
_CONFLICTS = "WHERE s.conflicts <> '[]' AND r.common_dir <> ''"
_EVENTS = "SELECT id, at, run_id, session_id, kind, text FROM abreast_events WHERE id > ?"


@dataclass(frozen=True)
class UsagePart:
    """What one attempt spent on one model; with `model` empty, on the whole."""

    attempt: int
    model: str
    usage: Usage


@dataclass(frozen=True)
class SessionRecord:
    """A session with what its stages need to know besides: its run, that without its sessions."""

    session: Session
    run: Run
    stop_requested: bool


@dataclass(frozen=True)
class TaskWork:
    """How far a task has come: its attempt, whether that has begun and ended, and its turns."""

    attempt: int
    begun: bool
    ended: bool
    turns: int


@dataclass(frozen=True)
class RunWork:
    """The latest request to work on a run, whether it is to stop, and how far tasks of it are.

    `held` are agents of which sessions are on record as held up.
    """

    generation: int
    stopping: bool
    tasks: Mapping[str, TaskWork]
    held: frozenset[str]


def _work(attempt: int, state: str, turns: int) -> TaskWork:
    ended = SessionState(state).final
    return TaskWork(attempt, state != SessionState.QUEUED.value, ended, turns)


def _record(row: Sequence[Any]) -> SessionRecord:
    own, run = row[: len(SESSION_COLUMNS)], row[len(SESSION_COLUMNS) : -1]
    return SessionRecord(load_session(own), load_run(run, ()), bool(row[-1]))


class Reader:
    """Reads the database at a SQLAlchemy URL. Safe to use from threads.

    All methods raise StoreError when the database does not answer or is a newer abreast's.
    """

    def __init__(self, database: str) -> None:
        self.database = database

    def _query(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        with open_snapshot(self.database) as query:
            return query(sql, *parameters)

    def runs(self, limit: int = 20) -> list[Run]:
        """Return the newest runs with their sessions, newest first."""
        return self._runs(f"{NEWEST} LIMIT ?", limit)

    def run_ids(self) -> frozenset[str]:
        """Return the ids of all runs on record."""
        return frozenset(str(row[0]) for row in self._query("SELECT id FROM abreast_runs"))

    def active(self) -> list[Run]:
        """Return the runs that have not ended, with their sessions, newest first."""
        return self._runs(f"WHERE {NOT_FINAL} {NEWEST}")

    def _runs(self, which: str, *parameters: object) -> list[Run]:
        """Return the runs `which` a query names, with their sessions: two queries, however many."""
        chosen = f"SELECT r.id FROM abreast_runs r {which}"  # noqa: S608
        theirs = f"{SESSIONS} WHERE s.run_id IN ({chosen}) ORDER BY s.run_id, s.position"
        with open_snapshot(self.database) as query:
            rows, found = query(f"{RUNS} {which}", *parameters), query(theirs, *parameters)
        sessions = {
            run: tuple(own) for run, own in groupby(map(load_session, found), attrgetter("run"))
        }
        return [load_run(row, sessions.get(row[0], ())) for row in rows]

    def requests(self) -> list[Run]:
        """Return the runs, without their sessions, that clients have asked for and that go on."""
        rows = self._query(f"{RUNS} WHERE {NOT_FINAL} AND r.state <> 'open'")
        return [load_run(row, ()) for row in rows]

    def to_stop(self) -> list[tuple[str, int, SessionKind]]:
        """Return the sessions, each with its attempt, that were asked to stop before they began."""
        asked = (
            "SELECT s.id, s.attempt, s.kind FROM abreast_sessions s "
            "JOIN abreast_runs r ON r.id = s.run_id"
        )
        where = f"{NOT_FINAL} AND r.state <> 'open' AND s.state = 'queued' AND s.stop_requested"
        found = self._query(f"{asked} WHERE {where}")
        return [(session, attempt, SessionKind(kind)) for session, attempt, kind in found]

    def run(self, run: str) -> Run | None:
        """Return the run of exactly this id, or None."""
        return next(iter(self._runs("WHERE r.id = ?", run)), None)

    def run_by_prefix(self, prefix: str = "") -> Run:
        """Return the run of this id, else the only run whose id starts so; '': the newest run.

        Raises NotFoundError when there is none or more than one.
        """
        found = self._runs("WHERE r.id = ?", prefix) if prefix else self.runs(1)
        found = found or self._runs(f"WHERE substr(r.id, 1, ?) = ? {NEWEST}", len(prefix), prefix)
        if len(found) == 1:
            return found[0]
        if found:
            ids = ", ".join(run.id for run in found[:5])
            raise NotFoundError(f"{len(found)} runs start with {prefix}", hint=f"such as {ids}")
        what = f"there is no run {prefix}" if prefix else "no run is on record"
        hint = "`abreast status --all` lists the runs" if prefix else "`abreast demo` shows a run"
        raise NotFoundError(what, hint=hint)

    def sessions(self, run: str) -> list[Session]:
        """Return the sessions of a run, in the plan's order."""
        of_run = f"{SESSIONS} WHERE s.run_id = ? ORDER BY s.position"
        return [load_session(row) for row in self._query(of_run, run)]

    def session(self, session: str) -> Session | None:
        """Return the session `run/task`, or None."""
        rows = self._query(f"{SESSIONS} WHERE s.id = ?", session)
        return load_session(rows[0]) if rows else None

    def session_record(self, session: str) -> SessionRecord | None:
        """Return the session `run/task` with its run, or None; costs the same in a run of any size.

        `stop_requested` tells of the session itself.
        """
        rows = self._query(f"{_RECORDS} WHERE s.id = ?", session)
        return _record(rows[0]) if rows else None

    def at_stake(self, common_dir: str, limit: int) -> list[SessionRecord]:
        """Return the sessions of a repository whose work could conflict, or was said to.

        At work, or done and not landed: of all runs, children left out; the newest `limit`, the
        oldest of them first.
        """
        work = "s.base_sha <> '' AND s.state IN ('running', 'verifying', 'committing')"
        done = "s.state = 'done' AND s.\"commit\" <> '' AND s.landing NOT IN ('landed', 'undone')"
        kind = f"(s.kind = 'task' AND {work}) OR (s.kind <> 'child' AND {done})"
        order = "ORDER BY r.ordinal DESC, s.position DESC LIMIT ?"
        where = f"r.common_dir = ? AND ({kind} OR s.conflicts <> '[]')"
        rows = self._query(f"{_RECORDS} WHERE {where} {order}", common_dir, limit)
        return [_record(row) for row in reversed(rows)]

    def at_work(self) -> list[SessionRecord]:
        """Return the sessions that have begun and not ended, but those that a person is at."""
        begun = "s.state IN ('preparing', 'setup', 'running', 'verifying', 'committing')"
        rows = self._query(f"{_RECORDS} WHERE {NOT_FINAL} AND r.state <> 'open' AND {begun}")
        return [_record(row) for row in rows]

    def in_conflict(self) -> list[str]:
        """Return the shared folders of the repositories in which sessions are said to conflict."""
        asked = "SELECT DISTINCT r.common_dir FROM abreast_runs r JOIN abreast_sessions s"
        return [row[0] for row in self._query(f"{asked} ON s.run_id = r.id {_CONFLICTS}")]

    def sessions_by_task(self, task: str) -> list[Session]:
        """Return the sessions of this task id in any run, those of the newest run first."""
        of_task = f"{SESSIONS} JOIN abreast_runs r ON r.id = s.run_id WHERE s.task = ? {NEWEST}"
        return [load_session(row) for row in self._query(of_task, task)]

    def cli_sessions(self, session: str = "") -> dict[str, str]:
        """Return abreast's own session by every id that its CLI has known it by, oldest first.

        Of `session` alone, if one is named.
        """
        sql = "SELECT id, earlier_cli_sessions, cli_session FROM abreast_sessions"
        rows = self._query(f"{sql} WHERE id = ?", session) if session else self._query(sql)
        return {
            known: session
            for session, earlier, newest in rows
            for known in (*load_list(earlier), newest)
            if known
        }

    def events(self, name: str, after: int = 0) -> list[tuple[int, LogEvent]]:
        """Return the events of a session, or of a run with all its sessions, each with its id.

        Only those with an id above `after`, oldest first: give the last id to go on.
        """
        column = "session_id" if "/" in name else "run_id"
        rows = self._query(f"{_EVENTS} AND {column} = ? ORDER BY id", after, name)
        return [(row[0], load_event(row[1:])) for row in rows]

    def agent_queue(self, agent: str) -> AgentQueue:
        """Return how the queue of an agent stands."""
        rows = self._query(f"{QUEUES} WHERE q.agent = ?", agent)
        return load_queue(rows[0]) if rows else AgentQueue(agent)

    def trying(self, name: str) -> TaskWork | None:
        """Return how far the session is that tries an agent, or the run of which one will.

        None: it has ended, or there is none.
        """
        if "/" not in name:
            goes_on = f"SELECT 1 FROM abreast_runs r WHERE r.id = ? AND {NOT_FINAL}"  # noqa: S608
            return TaskWork(0, False, False, 0) if self._query(goes_on, name) else None
        sql = "SELECT attempt, state, turns FROM abreast_sessions WHERE id = ?"
        rows = self._query(sql, name)
        found = _work(*rows[0]) if rows else None
        return found if found and found.begun and not found.ended else None

    def work(self, run: str, tasks: Sequence[str]) -> RunWork:
        """Return how it stands with a run, and with those of its `tasks` that are at work."""
        marks = ", ".join("?" * len(tasks)) or "NULL"
        asked = "SELECT generation, stop_requested FROM abreast_runs WHERE id = ?"
        sql = "SELECT task, attempt, state, turns, agent, held FROM abreast_sessions"
        which = f"WHERE run_id = ? AND (task IN ({marks}) OR held <> '')"
        with open_snapshot(self.database) as query:
            found = query(asked, run)
            rows = query(f"{sql} {which}", run, *tasks)
        generation, stopping = found[0] if found else (0, True)
        work = {row[0]: _work(row[1], row[2], row[3]) for row in rows}
        held = frozenset(row[4] for row in rows if row[5])
        return RunWork(generation, bool(stopping), work, held)

    def waiting(self) -> "list[Question]":
        """Return the questions of all sessions that wait for a person, the oldest first."""
        from abreast.store import asked

        return list(map(asked.load_question, self._query(asked.WAITING_QUESTIONS)))

    def questions(self, session: str) -> "list[Question]":
        """Return all that a session has ever asked, answered or not, the oldest first."""
        from abreast.store import asked

        where = f"WHERE q.session_id = ? {asked.ORDER_ASKED}"
        rows = self._query(f"{asked.QUESTIONS} {where}", session)
        return list(map(asked.load_question, rows))

    def allowed(self, session: str) -> "list[Question]":
        """Return the permissions that a person has given a session for all of its rest."""
        return [one for one in self.questions(session) if one.decision == "session"]

    def usage(self, session: str) -> list[UsagePart]:
        """Return what each attempt at a session spent, in total and on each model."""
        columns = f"attempt, model, {', '.join(NUMBERS)}, source"
        where = "WHERE session_id = ? ORDER BY attempt, model"
        rows = self._query(f"SELECT {columns} FROM abreast_usage {where}", session)  # noqa: S608
        return [UsagePart(row[0], row[1], Usage(*row[2:])) for row in rows]

    def spent_by_run(self, run: str) -> "Attempts":
        """Return what each attempt of a run's sessions, and of their children, has used."""
        from abreast.store import spent

        return spent.by_attempt(self._query(spent.OF_RUN, run, run))

    def spent_by_children(self, session: str, since: float) -> "Attempts":
        """Return what a session's children have used that were started at `since` or later."""
        from abreast.store import spent

        return spent.by_attempt(self._query(spent.OF_CHILDREN, session, since))

    def spent_between(self, start: float, end: float) -> "Attempts":
        """Return what each attempt has used between two midnights, in Unix seconds."""
        from abreast.store import spent

        quarters = (int(at // spent.QUARTER) for at in (start, end))
        return spent.within_day(self._query(spent.OF_DAY, *spent.day_parameters(*quarters)))

    def start_ups(self, agent: str, profile: str, limit: int = 20) -> list[int]:
        """Return the start-up tokens of the newest delegations to this agent, newest first."""
        sql = (
            "SELECT start_up FROM abreast_deliverables WHERE agent = ? AND profile = ? "
            "AND start_up IS NOT NULL ORDER BY at DESC LIMIT ?"
        )
        return [int(row[0]) for row in self._query(sql, agent, profile, limit)]

    def judgements(self, run: str = "", common_dir: str = "") -> list[tuple[str, str, str, str]]:
        """Return what the gate said of runs, newest first: run, mode, said and happened, as JSON.

        Of one run, or of all in the repository of this folder.
        """
        sql = "SELECT j.run_id, j.mode, j.said, j.happened FROM abreast_judgements j"
        where = "JOIN abreast_runs r ON r.id = j.run_id WHERE r.id = ? OR r.common_dir = ?"
        rows = self._query(f"{sql} {where} {NEWEST}", run, common_dir or "-")
        return [(str(a), str(b), str(c), str(d)) for a, b, c, d in rows]

    def plan_json(self, run: str) -> str:
        """Return the plan of a run as it was given to `Store.add_run`; raises NotFoundError."""
        rows = self._query("SELECT plan FROM abreast_runs WHERE id = ?", run)
        if not rows:
            raise NotFoundError(f"there is no run {run}")
        return str(rows[0][0])
