"""The index of transcripts: what of each file has been read, and what it came to.

Neither looking nor writing needs SQLAlchemy, but for a database that is new or old.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import lru_cache
from operator import attrgetter
from typing import Any

import orjson

from abreast.model.economy import Delegation, Tally
from abreast.model.moment import Moment
from abreast.model.session import RunState, Session
from abreast.store.direct import open_snapshot, open_transaction
from abreast.store.loading import SESSION_COLUMNS, columns, load_list, load_session
from abreast.store.rows import clean

_TABLE = "abreast_transcripts"
_TEXTS = ("session", "parent", "forked_from", "cwd")
_JSON = frozenset({"warnings", "models", "tallies"})
_AT_ONCE = 500  # parameters of one statement


@dataclass(slots=True)
class Indexed:
    """One transcript. `mtime` is in nanoseconds, `gone` since when the file has not been there.

    Up to `read_bytes` it has been read; `state` is what its reader needs to go on from there, in
    JSON, for few of many are looked into. `models` are those that its packed requests name.
    """

    path: str
    agent: str
    state: str = "{}"
    session: str = ""
    parent: str = ""
    forked_from: str = ""
    cwd: str = ""
    warnings: Sequence[str] = ()
    models: Sequence[str] = ()
    inode: int = 0
    size: int = 0
    mtime: int = 0
    read_bytes: int = 0
    skipped: int = 0
    begun: float = 0.0
    gone: float | None = None
    tallies: list[Tally] = field(default_factory=list)

    def load_state(self) -> dict[str, Any]:
        found: dict[str, Any] = orjson.loads(self.state)
        return found


_COLUMNS = tuple(one.name for one in fields(Indexed))
_VALUES = attrgetter(*_COLUMNS)


@dataclass(frozen=True)
class Known:
    """A session of abreast's own as the ledger needs it.

    `cli_sessions` are the ids that its CLI knows it by, one for each time that it began anew.
    """

    session: Session
    run_state: RunState
    run_began: Moment
    cli_sessions: tuple[str, ...]

    @property
    def span(self) -> tuple[float, float] | None:
        """When it began and ended, in seconds since its run began; None while either is open."""
        began, over = self.session.began, self.session.over
        if began is None or over is None:
            return None
        start = began.since(self.run_began)
        return start, start + over.since(began)


def load_index(database: str) -> tuple[dict[str, Indexed], int]:
    """Return what is indexed, by path, and the index's generation. Raises StoreError."""
    names = ", ".join(_COLUMNS)
    with open_snapshot(database) as query:
        rows = query(f"SELECT {names} FROM abreast_transcripts")  # noqa: S608
        newest = query(f"SELECT max(generation) FROM {_TABLE}")  # noqa: S608
    texts = lru_cache(orjson.loads)  # most transcripts have the same: no warning, and one model
    found = {}
    for row in rows:
        one = Indexed(*row)
        one.path = _path(one.path)
        one.warnings, one.models = texts(one.warnings), texts(one.models)
        one.tallies = [Tally(*sums) for sums in orjson.loads(row[-1])]
        found[one.path] = one
    return found, (newest[0][0] or 0) if newest else 0


def load_requests(database: str, paths: Collection[str] | None = None) -> dict[str, bytes]:
    """Return the packed requests of these transcripts, by default of all."""
    sql = "SELECT path, requests FROM abreast_transcripts"
    with open_snapshot(database) as query:
        if paths is None:
            rows = query(sql)
        else:
            rows = []
            for some in _portions([key(path) for path in paths]):
                marks = ", ".join("?" * len(some))
                rows += query(f"{sql} WHERE path IN ({marks})", *some)
    return {_path(path): bytes(packed) for path, packed in rows}


def load_known(database: str) -> list[Known]:
    """Return all of abreast's own sessions that have begun."""
    wanted = f"{columns(SESSION_COLUMNS, 's')}, s.earlier_cli_sessions, r.state"
    with open_snapshot(database) as query:
        rows = query(
            f"SELECT {wanted}, r.created, r.created_tick FROM abreast_sessions s "  # noqa: S608
            "JOIN abreast_runs r ON r.id = s.run_id WHERE s.started IS NOT NULL "
            "ORDER BY r.created, s.position"
        )
    found = []
    for *own, earlier, state, wall, tick in rows:
        session = load_session(own)
        ids = (*load_list(earlier), *filter(None, [session.cli_session]))
        found.append(Known(session, RunState(state), Moment(wall, tick), ids))
    return found


def load_delivered(database: str, since: float) -> list[Delegation]:
    """Return abreast's own delegations from `since` on, as they were counted when they ended."""
    own = ("agent", "at", "outcome", "start_up", "child_total", "kept_out", "summary")
    names = {"child": "d.session_id", "parent": "s.parent"} | {name: f"d.{name}" for name in own}
    with open_snapshot(database) as query:
        rows = query(
            f"SELECT {', '.join(names.values())} FROM abreast_deliverables d "  # noqa: S608
            "JOIN abreast_sessions s ON s.id = d.session_id WHERE d.at >= ? ORDER BY d.at",
            since,
        )
    return [Delegation(**dict(zip(names, row, strict=True)), estimated=True) for row in rows]


def count_notes(database: str, since: float) -> int:
    """Return how many notes sessions have sent to other sessions from `since` on."""
    sql = "SELECT count(*) FROM abreast_events WHERE kind = 'tell' AND at >= ?"
    by_user = "the user: "
    with open_snapshot(database) as query:
        found = query(f"{sql} AND substr(text, 1, ?) <> ?", since, len(by_user), by_user)
    return int(found[0][0]) if found else 0


def save_index(
    database: str, changed: Iterable[Indexed], requests: Mapping[str, bytes], generation: int
) -> bool:
    """Write these transcripts; False, and nothing is written, when somebody else has meanwhile.

    `requests` has those of each, packed; `generation` is that which `load_index` told. The
    database's folder must exist. Raises StoreError when it cannot be written to.
    """
    rows = [[*_row(one), generation + 1, requests[one.path]] for one in changed]
    names = ", ".join((*_COLUMNS, "generation", "requests"))
    marks = ", ".join("?" * (len(_COLUMNS) + 2))
    with open_transaction(database, _TABLE) as query:
        [[newest]] = query(f"SELECT max(generation) FROM {_TABLE}")  # noqa: S608
        if (newest or 0) != generation:
            return False
        query.many(f"DELETE FROM {_TABLE} WHERE path = ?", [row[:1] for row in rows])  # noqa: S608
        query.many(f"INSERT INTO {_TABLE} ({names}) VALUES ({marks})", rows)  # noqa: S608
    return True


def key(path: str) -> str:
    """Return a path as every database keeps it, whatever bytes it has: in ASCII."""
    return json.dumps(path)[1:-1]


def _path(stored: str) -> str:
    return str(json.loads(f'"{stored}"')) if "\\" in stored else stored


def _row(one: Indexed) -> list[Any]:
    """Return the values of `_COLUMNS`, fit for every database."""
    row = dict(zip(_COLUMNS, _VALUES(one), strict=True))
    row["path"] = key(one.path)
    row["tallies"] = [tuple(tally) for tally in one.tallies]
    for name in _JSON:
        row[name] = dump(row[name])
    for name in _TEXTS:
        row[name] = clean(row[name])
    return [*row.values()]


def dump(value: Any) -> str:
    """Return JSON that every database keeps."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:  # half a character, which it refuses
        return clean(json.dumps(value, ensure_ascii=False))


def _portions(items: list[str]) -> Iterable[list[str]]:
    return (items[at : at + _AT_ONCE] for at in range(0, len(items), _AT_ONCE))
