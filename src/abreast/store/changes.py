"""Changes to a session, and which changes of state are legal."""

from dataclasses import dataclass, fields
from enum import Enum, StrEnum
from typing import Any, Final, TypeVar

from abreast.errors import StateError
from abreast.model.states import LandState, RunState, SessionState
from abreast.store.text import dump_list

State = TypeVar("State", SessionState, RunState)


class Unset(Enum):
    """The type of `UNSET`, which leaves a field as it is."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET


@dataclass(frozen=True)
class Change:
    """New values for fields of a `Session`; what is not given stays.

    `started` and `ended` need not be given: the store sets them when the session leaves `queued`
    and when it reaches a final state.
    """

    state: SessionState | Unset = UNSET
    agent: str | Unset = UNSET
    base_sha: str | Unset = UNSET
    branch: str | Unset = UNSET
    worktree: str | Unset = UNSET
    directory: str | Unset = UNSET
    cli_session: str | Unset = UNSET
    model: str | Unset = UNSET
    started: float | Unset | None = UNSET
    ended: float | Unset | None = UNSET
    last_action: str | Unset = UNSET
    turns: int | Unset = UNSET
    files: tuple[str, ...] | Unset = UNSET
    commit: str | Unset = UNSET
    reason: str | Unset = UNSET
    hint: str | Unset = UNSET
    final_message: str | Unset = UNSET
    landing: LandState | Unset = UNSET
    landed: str | Unset = UNSET

    def values(self) -> dict[str, Any]:
        """Return the columns to set, as the database holds them."""
        given = {f.name: getattr(self, f.name) for f in fields(self)}
        values = {name: value for name, value in given.items() if value is not UNSET}
        if "files" in values:
            values["files"] = dump_list(values["files"])
        return {k: v.value if isinstance(v, StrEnum) else v for k, v in values.items()}


# What the next attempt at a session must not inherit from the one before.
RESULT_FIELDS = Change(
    started=None,
    ended=None,
    last_action="",
    turns=0,
    files=(),
    commit="",
    reason="",
    hint="",
    final_message="",
    landing=LandState.NONE,
    landed="",
)


def require_transition(name: str, old: State, new: State) -> None:
    """Raise StateError unless the run or session `name` may go from `old` to `new`.

    Anything may follow a state that is not final: a step that is repeated after a crash goes back.
    A final state stays (setting it again is fine); only another attempt leaves it.
    """
    if old.final and new != old:
        raise StateError(
            f"{name} has ended as {old.value}; it cannot become {new.value}",
            hint="`abreast retry` starts another attempt",
        )
