"""Runs and sessions as rows: which columns they have, and the way there and back."""

from collections.abc import Callable, Sequence
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
    "created_tick",
)

# In the order of the fields of `Session`, so that loading a thousand of them takes milliseconds.
_HEAD = ("id", "run_id", "task", "agent")
_ENUMS = ("state", "kind")
_MIDDLE = (
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
)
_USAGE = (*NUMBERS, "usage_source")
_TAIL = ("commit", "reason", "hint", "final_message")
_TICKS = ("started_tick", "ended_tick")
SESSION_COLUMNS = (
    *_HEAD,
    *_ENUMS,
    *_MIDDLE,
    *_USAGE,
    "files",
    *_TAIL,
    "landing",
    "landed",
    "needs",
    "parent",
    *_TICKS,
)

_make_session: Callable[..., Session] = Session
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
    plain = ("id", "task", "agent", *_MIDDLE, *_TAIL, "landed", "parent", *_TICKS)
    return {
        **{name: getattr(session, name) for name in plain},
        **{name: getattr(session.usage, name) for name in NUMBERS},
        "run_id": session.run,
        "position": position,
        "state": session.state.value,
        "kind": session.kind.value,
        "usage_source": session.usage.source,
        "files": dump_list(session.files),
        "landing": session.landing.value,
        "needs": dump_list(session.needs),
    }


def load_session(row: Sequence[Any]) -> Session:
    """Return the session that the values of `SESSION_COLUMNS` stand for."""
    id_, run, task, agent, state, kind, *rest = row
    *rest, landing, landed, needs, parent, started_tick, ended_tick = rest
    *rest, files, commit, reason, hint, final_message = rest
    return _make_session(
        id_,
        run,
        task,
        agent,
        _STATES[state],
        _KINDS[kind],
        *rest[:12],
        Usage(*rest[12:]),
        load_list(files),
        commit,
        reason,
        hint,
        final_message,
        _LANDINGS[landing],
        landed,
        load_list(needs),
        parent,
        started_tick,
        ended_tick,
    )


def usage_row(usage: Usage) -> dict[str, Any]:
    """Return a usage as the values of its columns."""
    return {**{name: getattr(usage, name) for name in NUMBERS}, "source": usage.source}


def load_event(row: Sequence[Any]) -> LogEvent:
    """Return the event that (at, run, session or None, kind, text) stand for."""
    at, run, session, kind, text = row
    return LogEvent(at, run, session or "", kind, text)
