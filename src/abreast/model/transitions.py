"""Which state may follow which: one table for sessions, one for runs, one for landings.

Any state may follow itself: a step that is repeated after a crash sets again what it has set.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from abreast.errors import TransitionError
from abreast.model.session import FINAL_STATES, LandState, RunState, SessionState

State = TypeVar("State", SessionState, RunState, LandState)


@dataclass(frozen=True)
class Transitions(Generic[State]):
    """`work` is what the work itself leads to, from each state.

    `anew` is what somebody has to ask for: another attempt at a session, or more work on a run.
    """

    work: Mapping[State, frozenset[State]]
    anew: Mapping[State, frozenset[State]]

    def allow(self, old: State, new: State, *, anew: bool = False) -> bool:
        """Return whether `new` may follow `old`."""
        if anew:
            return new in self.anew.get(old, ())
        return new is old or new in self.work.get(old, ())


_NOT_DONE = FINAL_STATES - {SessionState.DONE}
SESSIONS = Transitions(
    work={
        SessionState.QUEUED: _NOT_DONE | {SessionState.PREPARING},
        SessionState.PREPARING: _NOT_DONE | {SessionState.SETUP, SessionState.RUNNING},
        SessionState.SETUP: _NOT_DONE | {SessionState.RUNNING},
        SessionState.RUNNING: _NOT_DONE
        | {
            SessionState.PREPARING,  # a person has left it: the worker prepares it again
            SessionState.VERIFYING,
            SessionState.COMMITTING,
            SessionState.DONE,  # a child that only reads commits nothing
        },
        SessionState.VERIFYING: _NOT_DONE | {SessionState.COMMITTING},
        SessionState.COMMITTING: FINAL_STATES,
    },
    anew={final: frozenset({SessionState.QUEUED}) for final in FINAL_STATES},
)

_CLOSED = frozenset(state for state in RunState if state.final)
RUNS = Transitions(
    work={
        RunState.OPEN: frozenset({RunState.QUEUED}),  # its person has left
        RunState.QUEUED: _CLOSED | {RunState.RUNNING, RunState.LANDING},
        # Back to the queue goes a run in which a session was queued once more.
        RunState.RUNNING: _CLOSED | {RunState.QUEUED, RunState.LANDING},
        RunState.LANDING: _CLOSED | {RunState.QUEUED},
    },
    anew={final: frozenset({RunState.QUEUED, RunState.LANDING}) for final in _CLOSED},
)

LANDINGS = Transitions(
    # It is none again when it was stopped.
    work={LandState.QUEUED: frozenset(LandState) - {LandState.QUEUED, LandState.UNDONE}},
    anew={
        **{state: frozenset({LandState.QUEUED, LandState.NONE}) for state in LandState},
        LandState.LANDED: frozenset({LandState.QUEUED, LandState.NONE, LandState.UNDONE}),
        # The undo was undone.
        LandState.UNDONE: frozenset({LandState.QUEUED, LandState.NONE, LandState.LANDED}),
    },
)

_TABLES: Mapping[type, Transitions[Any]] = {
    SessionState: SESSIONS,
    RunState: RUNS,
    LandState: LANDINGS,
}


def require_transition(name: str, old: State, new: State, *, anew: bool = False) -> None:
    """Raise TransitionError unless `new` may follow `old`, for the session or run `name`."""
    if _TABLES[type(old)].allow(old, new, anew=anew):
        return
    if anew:
        said, hint = f"has not ended: it is {old}", f"abreast stop {name}"
    elif old in _TABLES[type(old)].work:
        said, hint = f"is {old}; it cannot become {new}", None
    else:
        said = f"has ended as {old}; it cannot become {new}"
        again = "retry" if "/" in name else "resume"
        hint = f"abreast {again} {name} starts another attempt"
    raise TransitionError(name, old, new, said, hint=hint)
