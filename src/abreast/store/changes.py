"""Changes to a session."""

from dataclasses import dataclass, fields
from enum import Enum
from typing import Any, Final, TypeVar

from abreast.model.session import Changeable, SessionState
from abreast.store.rows import columns_of

T = TypeVar("T")


class _Unset(Enum):
    UNSET = "unset"


UNSET: Final[Any] = _Unset.UNSET
"""Stands for a value of any field, and leaves that as it is."""


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
