"""Work comes to an end, and an end stays until somebody asks for more."""

import pytest

from abreast.errors import TransitionError
from abreast.model.session import FINAL_STATES, LandState, RunState, SessionState
from abreast.model.transitions import LANDINGS, RUNS, SESSIONS, require_transition

TABLES = {SessionState: SESSIONS, RunState: RUNS, LandState: LANDINGS}
ENDS = {
    SessionState: FINAL_STATES,
    RunState: {state for state in RunState if state.final},
    LandState: set(LandState) - {LandState.QUEUED},
}


def reached(steps, start):
    """Return all that `steps` lead to from `start`."""
    found = [start]
    for one in found:
        found += [two for two in sorted(steps.get(one, ())) if two not in found]
    return set(found)


@pytest.mark.parametrize("kind", TABLES)
def test_all_work_comes_to_an_end_and_nothing_follows_by_itself(kind):
    table = TABLES[kind]
    assert set(table.work) == set(kind) - ENDS[kind]
    assert all(ENDS[kind] & reached(table.work, state) for state in kind)


@pytest.mark.parametrize("kind", TABLES)
def test_more_work_can_be_asked_for_wherever_it_has_ended(kind):
    assert ENDS[kind] <= set(TABLES[kind].anew)
    assert all(kind("queued") in TABLES[kind].anew[state] for state in ENDS[kind])


def test_a_session_comes_to_every_state_from_the_queue():
    assert reached(SESSIONS.work, SessionState.QUEUED) == set(SessionState)


def test_done_is_what_was_committed_or_read():
    before = {state for state in SessionState if SESSIONS.allow(state, SessionState.DONE)}
    assert before == {SessionState.RUNNING, SessionState.COMMITTING, SessionState.DONE}


@pytest.mark.parametrize(
    ("old", "new", "anew", "said", "hint"),
    [
        (SessionState.SETUP, SessionState.DONE, False, "is setup; it cannot become done", None),
        (
            RunState.FAILED,
            RunState.RUNNING,
            False,
            "has ended as failed; it cannot become running",
            "abreast resume r1 starts another attempt",
        ),
        (
            SessionState.SETUP,
            SessionState.QUEUED,
            True,
            "has not ended: it is setup",
            "abreast stop r1",
        ),
    ],
)
def test_what_is_refused_is_told_with_both_states(old, new, anew, said, hint):
    with pytest.raises(TransitionError) as refused:
        require_transition("r1", old, new, anew=anew)
    error = refused.value
    assert (error.name, error.old, error.new) == ("r1", old, new)
    assert (error.message, error.hint) == (f"r1 {said}", hint)
