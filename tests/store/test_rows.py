"""A field of a session or a run is a column of the same name, there and back."""

from dataclasses import fields, replace
from enum import StrEnum

import pytest

from abreast.model.conflicts import FileConflict, WorkConflict
from abreast.model.hold import Hold, HoldKind
from abreast.model.session import LandState, Run, Session, SessionState
from abreast.store import schema
from abreast.store.loading import NUMBERS
from abreast.store.rows import SessionUpdate
from tests.store.samples import make_run

KEPT_BESIDES = {  # by the store, for itself
    "abreast_runs": {"ordinal", "plan", "stop_requested"},
    "abreast_sessions": {"position", "stop_requested", "earlier_cli_sessions", "again", "version"},
}
IN_OTHER_WORDS = {
    Run: {"sessions": set()},
    Session: {"run": {"run_id"}, "usage": {*NUMBERS, "usage_source"}},
}


@pytest.mark.parametrize(("kind", "table"), [(Run, schema.runs), (Session, schema.sessions)])
def test_every_field_has_its_column_and_every_column_its_field(kind, table):
    named = [IN_OTHER_WORDS[kind].get(one.name, {one.name}) for one in fields(kind)]
    assert set().union(*named) | KEPT_BESIDES[table.name] == {one.name for one in table.columns}


def other(kind, value):
    """Return another value of a field's type."""
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return next(member for member in kind if member is not value)
    samples = {
        str: "other",
        int: 7,
        int | None: 8,
        float | None: 1.5,
        Hold | None: Hold(HoldKind.QUOTA, "caf\udce9", 1.5, 1.0, "wait", ends=True),
        tuple[str, ...]: ("a", "caf\udce9"),
        tuple[WorkConflict, ...]: (WorkConflict("r2/a", (FileConflict("caf\udce9"),), 1),),
    }
    return samples[kind]


def test_every_field_that_changes_is_written_and_read_back(store, reader):
    run = make_run(tasks=1)
    waiting = replace(run.sessions[0], landing=LandState.QUEUED)
    store.add_run(replace(run, sessions=(waiting,)), "{}")
    for one in fields(SessionUpdate):
        if one.name in {"state", "landing"}:
            continue  # which set times, too
        before = reader.session("r1/t0")
        value = other(one.type, getattr(before, one.name))
        store.update_session("r1/t0", SessionUpdate(**{one.name: value}))
        assert reader.session("r1/t0") == replace(before, **{one.name: value})
    store.update_session("r1/t0", SessionUpdate(state=SessionState.PREPARING))
    assert reader.session("r1/t0").state is SessionState.PREPARING
    before = reader.session("r1/t0")
    store.update_session("r1/t0", SessionUpdate(landing=LandState.NONE))
    after = reader.session("r1/t0")
    times = {"moved": after.moved, "moved_tick": after.moved_tick}
    assert after == replace(before, landing=LandState.NONE, **times)
