"""Runs and sessions as rows: the columns are the fields of the model, by name.

A new field is a line in the model, a column in the schema, and a migration.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import Enum, StrEnum
from functools import lru_cache
from typing import Any, Final, TypeVar

from abreast import codec
from abreast.model.conflicts import WorkConflict
from abreast.model.events import Usage
from abreast.model.session import Changeable, LogEvent, Run, Session, SessionState

# PostgreSQL has no NUL in text, and neither database takes half of a surrogate pair (which is how
# Python carries bytes that are no UTF-8).
_UNFIT = re.compile("[\x00\ud800-\udfff]")


def clean(text: str) -> str:
    """Return `text` with every character that a database refuses replaced by U+FFFD."""
    return _UNFIT.sub("\ufffd", text)


def dump_list(items: Iterable[str]) -> str:
    """Return items as a JSON array in ASCII, which carries any file name through any database."""
    return json.dumps(list(items))


@lru_cache(maxsize=4096)
def load_list(text: str) -> tuple[str, ...]:
    """Return what `dump_list` was given."""
    return tuple(json.loads(text))


@lru_cache(maxsize=1024)
def load_conflicts(text: str) -> tuple[WorkConflict, ...]:
    """Return what `columns_of` was given."""
    if text == "[]":  # as mostly: whoever lists sessions is spared an import
        return ()
    return codec.load(tuple[WorkConflict, ...], json.loads(text), "the conflicts of a session")


NUMBERS = ("input_tokens", "cached_tokens", "output_tokens", "cost_usd")

Loader = Callable[[Any], Any]

_RENAMED = {"run": "run_id"}


def _loaders(kind: type[Run | Session]) -> dict[str, Loader]:
    """Return how to read each field of `kind` that its column holds in other words."""
    return {one.name: load for one in fields(kind) if (load := _loader(one.type))}


def _loader(kind: object) -> Loader | None:
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return {member.value: member for member in kind}.__getitem__
    if kind == tuple[WorkConflict, ...]:
        return load_conflicts
    return load_list if kind == tuple[str, ...] else None


_RUN, _SESSION = _loaders(Run), _loaders(Session)
RUN_COLUMNS = tuple(one.name for one in fields(Run) if one.name != "sessions")
_SESSION_FIELDS = tuple(one.name for one in fields(Session) if one.name != "usage")
SESSION_COLUMNS = (*(_RENAMED.get(n, n) for n in _SESSION_FIELDS), *NUMBERS, "usage_source")


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


def load_session(row: Sequence[Any]) -> Session:
    """Return the session that the values of `SESSION_COLUMNS` stand for."""
    usage = Usage(*row[len(_SESSION_FIELDS) :])
    return Session(**_load(_SESSION_FIELDS, _SESSION, row), usage=usage)


def columns(names: Iterable[str], table: str) -> str:
    """Return columns of a table as SQL names them."""
    return ", ".join(f'{table}."{name}"' for name in names)


def run_row(run: Run) -> dict[str, Any]:
    """Return a run, without its sessions, as the values of its columns."""
    return columns_of({name: getattr(run, name) for name in RUN_COLUMNS})


def columns_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values of a run's or a session's fields, by name, as those of their columns."""
    row: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Usage):
            row |= {f"usage_{k}" if k == "source" else k: v for k, v in vars(value).items()}
        elif isinstance(value, StrEnum):
            row[name] = value.value
        elif isinstance(value, tuple):
            row[_RENAMED.get(name, name)] = codec.text(value, ensure_ascii=True)
        else:
            row[_RENAMED.get(name, name)] = value
    return row


def load_event(row: Sequence[Any]) -> LogEvent:
    """Return the event that (at, run, session or None, kind, text) stand for."""
    at, run, session, kind, text = row
    return LogEvent(at, run, session or "", kind, text)


T = TypeVar("T")


class _Unset(Enum):
    UNSET = "unset"


UNSET: Final[Any] = _Unset.UNSET
"""The value of a field that is not to change."""


def _unset(kind: type[T]) -> type[T]:
    """Make `UNSET` the default of every field that `kind` inherits."""
    for one in fields(Changeable):
        kind.__annotations__[one.name] = one.type
        setattr(kind, one.name, UNSET)
    return kind


@dataclass(frozen=True, kw_only=True)
@_unset
class SessionUpdate(Changeable):
    """New values for fields of a `Session`; what is not given stays.

    `started` and `ended` need not be given: the store sets them when the session leaves `queued`
    and when it reaches a final state.
    """

    state: SessionState = UNSET
    agent: str = UNSET

    def values(self) -> dict[str, Any]:
        """Return the columns to set, as the database holds them."""
        return columns_of({k: v for k, v in vars(self).items() if v is not UNSET})
