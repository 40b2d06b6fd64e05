"""Runs and sessions as rows: which columns they have, and the way there and back."""

from collections.abc import Sequence
from typing import Any

from abreast.model.session import LogEvent, Run, Session
from abreast.model.states import LandMode, LandState, RunState, SessionKind, SessionState
from abreast.model.usage import Usage
from abreast.store.text import dump_list, load_list

NUMBERS = ("input_tokens", "cached_tokens", "output_tokens", "cost_usd")

RUN_COLUMNS = (
    "id",
    "repo",
    "base",
    "base_sha",
    "target",
    "source",
    "note",
    "max_parallel",
    "generation",
    "created",
    "ended",
    "state",
    "land",
)

# Columns that hold a field of the same name as it is; then those that need a hand.
_PLAIN = (
    "id",
    "task",
    "agent",
    "produces",
    "attempt",
    "base_sha",
    "branch",
    "worktree",
    "directory",
    "cli_session",
    "model",
    "started",
    "ended",
    "last_action",
    "turns",
    "commit",
    "reason",
    "hint",
    "final_message",
    "landed",
)
SESSION_COLUMNS = (
    *("state", "kind", "landing", "run_id", "files", "needs"),
    *NUMBERS,
    "usage_source",
    *_PLAIN,
)

_STATES = {state.value: state for state in SessionState}
_KINDS = {kind.value: kind for kind in SessionKind}
_LANDINGS = {landing.value: landing for landing in LandState}


def run_row(run: Run) -> dict[str, Any]:
    """Return a run as the values of its columns."""
    row = {name: getattr(run, name) for name in RUN_COLUMNS}
    return row | {"state": run.state.value, "land": run.land.value}


def load_run(row: Sequence[Any], sessions: tuple[Session, ...]) -> Run:
    """Return the run that the values of `RUN_COLUMNS` stand for."""
    values = dict(zip(RUN_COLUMNS, row, strict=True))
    values |= {"state": RunState(values["state"]), "land": LandMode(values["land"])}
    return Run(**values, sessions=sessions)


def session_row(session: Session, position: int) -> dict[str, Any]:
    """Return a session as the values of its columns."""
    return {
        "run_id": session.run,
        "position": position,
        "state": session.state.value,
        "kind": session.kind.value,
        "landing": session.landing.value,
        "files": dump_list(session.files),
        "needs": dump_list(session.needs),
        **{name: getattr(session, name) for name in _PLAIN},
        **{name: getattr(session.usage, name) for name in NUMBERS},
        "usage_source": session.usage.source,
    }


def load_session(row: Sequence[Any]) -> Session:
    """Return the session that the values of `SESSION_COLUMNS` stand for."""
    state, kind, landing, run, files, needs, *rest = row
    return Session(
        run=run,
        state=_STATES[state],
        kind=_KINDS[kind],
        landing=_LANDINGS[landing],
        files=load_list(files),
        needs=load_list(needs),
        usage=Usage(*rest[:5]),
        **dict(zip(_PLAIN, rest[5:], strict=True)),
    )


def usage_row(usage: Usage) -> dict[str, Any]:
    """Return a usage as the values of its columns."""
    return {**{name: getattr(usage, name) for name in NUMBERS}, "source": usage.source}


def load_event(row: Sequence[Any]) -> LogEvent:
    """Return the event that (at, run, session or None, kind, text) stand for."""
    at, run, session, kind, text = row
    return LogEvent(at, run, session or "", kind, text)
