"""The runs of a snapshot, read again cheaply: only rows that differ are read and loaded anew.

Each session's row has a version, which every change counts up, in an index of its own. One version
for all rows would not do: two writers who commit out of order (PostgreSQL) would make readers miss
a change.
"""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter, is_
from pathlib import Path
from typing import Any, Generic, TypeVar

from abreast.model.question import Question
from abreast.model.session import Run, Session
from abreast.store.asked import QUESTION_COLUMNS, WAITING_QUESTIONS, load_question
from abreast.store.direct import Query, open_snapshot
from abreast.store.loading import (
    NEWEST,
    NOT_FINAL,
    RUN_COLUMNS,
    RUNS,
    SESSION_COLUMNS,
    SESSIONS,
    load_run,
    load_session,
)

MOST = 1_000
"""Sessions of a snapshot: those of unfinished runs, and of the newest until there are so many."""

T = TypeVar("T")
Values = tuple[Any, ...]

_SIZE = "(SELECT count(*) FROM abreast_sessions s WHERE s.run_id = r.id)"
_SIZES = f"SELECT r.id, {_SIZE} FROM abreast_runs r {NEWEST} LIMIT ?"  # noqa: S608
_VERSIONS = "SELECT s.id, s.version FROM abreast_sessions s"
_IN_ORDER = "ORDER BY s.run_id, s.position"
_FEW = 200  # rows that are asked for by name
_UNFINISHED = f"SELECT r.id FROM abreast_runs r WHERE {NOT_FINAL}"  # noqa: S608


class _Known(Generic[T]):
    """What rows were loaded as, by their ids, with a stamp of each."""

    def __init__(self, names: Sequence[str], load: Callable[[Values], T]) -> None:
        self._id = names.index("id")
        self._load = load
        self._rows: dict[str, tuple[Values, int, T]] = {}

    def take(self, rows: list[Values]) -> tuple[list[T], int]:
        """Return what these rows stand for, and their stamps added up; forget all others."""
        before, self._rows = self._rows, {}
        for row in rows:
            name = row[self._id]
            known = before.get(name)
            self._rows[name] = known if known and known[0] == row else (row, *self._new(row))
        return [one for _, _, one in self._rows.values()], sum(n for _, n, _ in self._rows.values())

    def _new(self, row: Values) -> tuple[int, T]:
        return _stamp(row), self._load(row)


class _KnownSessions:
    """What sessions were loaded as, with the version of each and a stamp."""

    def __init__(self) -> None:
        self._rows: dict[str, tuple[int, int, Session]] = {}

    def take(self, query: Query, runs: Sequence[str]) -> tuple[list[Session], int]:
        """Return the sessions of these runs, and their stamps added up; forget all others."""
        marks = ", ".join("?" * len(runs)) or "NULL"
        wanted = query(f"{_VERSIONS} WHERE s.run_id IN ({marks}) {_IN_ORDER}", *runs)
        before = self._rows
        stale = [
            name for name, now in wanted if (known := before.get(name)) is None or known[0] != now
        ]
        fresh = self._read(query, stale, runs)
        self._rows = {}
        for name, version in wanted:
            row = fresh.get(name)
            known = (version, _stamp(row), load_session(row)) if row else before[name]
            self._rows[name] = known
        return [one for _, _, one in self._rows.values()], sum(n for _, n, _ in self._rows.values())

    def _read(self, query: Query, names: Sequence[str], runs: Sequence[str]) -> dict[str, Values]:
        at = SESSION_COLUMNS.index("id")
        if len(names) > _FEW:
            marks = ", ".join("?" * len(runs))
            return {row[at]: row for row in query(f"{SESSIONS} WHERE s.run_id IN ({marks})", *runs)}
        marks = ", ".join("?" * len(names)) or "NULL"
        return {row[at]: row for row in query(f"{SESSIONS} WHERE s.id IN ({marks})", *names)}


def _stamp(row: Values) -> int:
    """Return a number that is equal, but for a chance, only where all of a row is."""
    text = repr(row).encode("utf-8", "surrogatepass")
    # Two sums, since one in four thousand million changes would leave either as it is.
    return zlib.crc32(text) << 32 | zlib.adler32(text)


@dataclass(frozen=True, repr=False, eq=False)
class Recorded:
    """The runs of a snapshot, newest first, and the questions that wait for a person.

    A run that has not changed is the same object as before. `stamp` is equal where all of it is.
    """

    runs: tuple[Run, ...]
    questions: tuple[Question, ...]
    stamp: int


class SnapshotReader:
    """Reads the runs of a snapshot, again and again; for one thread at a time.

    `run` is the id of the only one that is wanted, `most` how many sessions of newest runs. Raises
    StoreError as `Reader` does.
    """

    def __init__(self, database: str, run: str = "", most: int = MOST) -> None:
        self._database = database
        self._most = most
        self._run = run
        self._runs = _Known(RUN_COLUMNS, lambda row: load_run(row, ()))
        self._sessions = _KnownSessions()
        self._file = ""
        self._questions = _Known(QUESTION_COLUMNS, load_question)
        self._made: dict[str, tuple[Run, Run]] = {}  # each without its sessions, and with them

    def read(self) -> Recorded:
        """Return what is on record now."""
        with open_snapshot(self._database) as query:
            ids = [self._run] if self._run else _chosen(query, self._most)
            marks = ", ".join("?" * len(ids)) or "NULL"
            rows = query(f"{RUNS} WHERE r.id IN ({marks}) {NEWEST}", *ids)
            self._begin_anew_if_replaced()
            sessions, more = self._sessions.take(query, ids)
            asked = query(WAITING_QUESTIONS)
        runs, stamp = self._runs.take(rows)
        by_run = {run: tuple(own) for run, own in groupby(sessions, attrgetter("run"))}
        self._made = {
            run.id: (run, self._whole(row, run, by_run.get(run.id, ())))
            for row, run in zip(rows, runs, strict=True)
        }
        questions, last = self._questions.take(asked)
        whole = tuple(whole for _, whole in self._made.values())
        return Recorded(whole, tuple(questions), stamp + more + last)

    def _begin_anew_if_replaced(self) -> None:
        """Forget all sessions where the database is another file now: versions begin again."""
        kind, _, path = self._database.partition(":///")
        if kind != "sqlite":
            return
        try:
            found = Path(path).stat()
            file = f"{found.st_dev} {found.st_ino}"
        except OSError:
            file = ""
        if file != self._file:
            self._file, self._sessions = file, _KnownSessions()

    def _whole(self, row: Values, run: Run, sessions: tuple[Session, ...]) -> Run:
        """Return a run with its sessions: the one that was made before, if it is still so."""
        before, made = self._made.get(run.id, (None, None))
        same = made and before is run and len(made.sessions) == len(sessions)
        if made and same and all(map(is_, made.sessions, sessions)):
            return made
        return load_run(row, sessions)


def _chosen(query: Query, most: int) -> list[str]:
    """Return the ids of the runs that a snapshot of everything has; the newest is always there."""
    room, chosen = most, list[str]()
    for run, size in query(_SIZES, most):
        if room <= 0:
            break
        chosen.append(run)
        room -= max(1, size)
    return list(dict.fromkeys([*chosen, *(row[0] for row in query(_UNFINISHED))]))
