"""Rows as runs and sessions: the columns are the fields of the model, by name.

Apart from what writes rows, so that `abreast status` imports no more than it needs.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from enum import StrEnum
from functools import lru_cache
from typing import Any

from abreast import codec
from abreast.model.agent_queue import AgentQueue
from abreast.model.conflicts import WorkConflict
from abreast.model.hold import Hold
from abreast.model.session import LogEvent, Run, Session
from abreast.model.usage import Usage


@lru_cache(maxsize=4096)
def load_list(text: str) -> tuple[str, ...]:
    """Return what `rows.dump_list` was given."""
    return tuple(json.loads(text))


@lru_cache(maxsize=1024)
def load_conflicts(text: str) -> tuple[WorkConflict, ...]:
    """Return what `rows.columns_of` was given."""
    if text == "[]":  # as mostly: whoever lists sessions is spared an import
        return ()
    return codec.load(tuple[WorkConflict, ...], json.loads(text), "the conflicts of a session")


@lru_cache(maxsize=1024)
def load_hold(text: str) -> Hold | None:
    """Return what `rows.columns_of` was given."""
    return codec.load(Hold, json.loads(text), "why a session is held up") if text else None


NUMBERS = ("input_tokens", "cached_tokens", "output_tokens", "cost_usd")

Loader = Callable[[Any], Any]

RENAMED = {"run": "run_id"}


def _loaders(kind: type[Run | Session | AgentQueue]) -> dict[str, Loader]:
    """Return how to read each field of `kind` that its column holds in other words."""
    return {one.name: load for one in fields(kind) if (load := _loader(one.type))}


def _loader(kind: object) -> Loader | None:
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return {member.value: member for member in kind}.__getitem__
    if kind == tuple[WorkConflict, ...]:
        return load_conflicts
    if kind == Hold | None:
        return load_hold
    return load_list if kind == tuple[str, ...] else None


_RUN, _SESSION, _QUEUE = _loaders(Run), _loaders(Session), _loaders(AgentQueue)
QUEUE_COLUMNS = tuple(one.name for one in fields(AgentQueue))
RUN_COLUMNS = tuple(one.name for one in fields(Run) if one.name != "sessions")
_SESSION_FIELDS = tuple(one.name for one in fields(Session) if one.name != "usage")
SESSION_COLUMNS = (*(RENAMED.get(n, n) for n in _SESSION_FIELDS), *NUMBERS, "usage_source")


def _load(
    names: Iterable[str], loaders: Mapping[str, Loader], row: Iterable[Any]
) -> dict[str, Any]:
    values = dict(zip(names, row, strict=False))
    for name, load in loaders.items():
        values[name] = load(values[name])
    return values


def load_run(row: Sequence[Any], sessions: tuple[Session, ...]) -> Run:
    """Return the run that the values of `RUN_COLUMNS` stand for."""
    return Run(**_load(RUN_COLUMNS, _RUN, row), sessions=sessions)


def load_queue(row: Sequence[Any]) -> AgentQueue:
    """Return the agent's queue that the values of `QUEUE_COLUMNS` stand for."""
    found = _load(QUEUE_COLUMNS, _QUEUE, row)
    return AgentQueue(**found | {"stated": bool(found["stated"])})


def load_session(row: Sequence[Any]) -> Session:
    """Return the session that the values of `SESSION_COLUMNS` stand for."""
    # A thousand are read at once, and `__init__` would take twice the time: that of a frozen class
    # makes a call for each field.
    session = object.__new__(Session)
    values = _load(_SESSION_FIELDS, _SESSION, row)
    values["usage"] = Usage(*row[len(_SESSION_FIELDS) :])
    vars(session).update(values)
    return session


def columns(names: Iterable[str], table: str) -> str:
    """Return columns of a table as SQL names them."""
    return ", ".join(f'{table}."{name}"' for name in names)


# Queries of them, written for both databases.
OF_RUN, OF_SESSION = columns(RUN_COLUMNS, "r"), columns(SESSION_COLUMNS, "s")
RUNS = f"SELECT {OF_RUN} FROM abreast_runs r"  # noqa: S608
SESSIONS = f"SELECT {OF_SESSION} FROM abreast_sessions s"  # noqa: S608
QUEUES = f"SELECT {columns(QUEUE_COLUMNS, 'q')} FROM abreast_agent_queues q"  # noqa: S608
NEWEST = "ORDER BY r.ordinal DESC, r.created DESC, r.id DESC"
NOT_FINAL = "r.state NOT IN ('done', 'failed', 'stopped')"


def load_event(row: Sequence[Any]) -> LogEvent:
    """Return the event that (at, run, session or None, kind, text) stand for."""
    at, run, session, kind, text = row
    return LogEvent(at, run, session or "", kind, text)
