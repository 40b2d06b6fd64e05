"""Runs and sessions as rows: the columns are the fields of the model, by name.

`store.loading` reads them. A new field is a line in the model, a column in the schema, and a
migration.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from enum import Enum, StrEnum
from typing import Any, Final, TypeVar

from abreast import codec
from abreast.model.hold import Hold
from abreast.model.session import Changeable, Run, SessionState
from abreast.model.usage import Usage
from abreast.store.loading import RENAMED, RUN_COLUMNS

# PostgreSQL has no NUL in text, and neither database takes half of a surrogate pair (which is how
# Python carries bytes that are no UTF-8).
_UNFIT = re.compile("[\x00\ud800-\udfff]")


def clean(text: str) -> str:
    """Return `text` with every character that a database refuses replaced by U+FFFD."""
    return _UNFIT.sub("\ufffd", text)


def dump_list(items: Iterable[str]) -> str:
    """Return items as a JSON array in ASCII, which carries any file name through any database."""
    return json.dumps(list(items))


def dump_hold(hold: Hold | None) -> str:
    """Return as JSON why a session is held up; "" when it is not."""
    return codec.text(hold, ensure_ascii=True) if hold else ""


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
        elif name == "held":
            row[name] = dump_hold(value)
        elif isinstance(value, tuple):
            row[RENAMED.get(name, name)] = codec.text(value, ensure_ascii=True)
        else:
            row[RENAMED.get(name, name)] = value
    return row


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
