"""What is written is read back as it was, and what may not happen is refused."""

import itertools
import threading
from dataclasses import fields, replace

import pytest

from abreast.errors import NotFoundError, StateError, TransitionError
from abreast.model.cause import Cause
from abreast.model.conflicts import FileConflict, WorkConflict
from abreast.model.hold import Hold, HoldKind
from abreast.model.moment import Moment
from abreast.model.session import (
    FINAL_STATES,
    LandMode,
    LandState,
    RunState,
    Session,
    SessionKind,
    SessionState,
)
from abreast.model.transitions import LANDINGS, RUNS, SESSIONS
from abreast.model.usage import Usage
from abreast.store.rows import UNSET, SessionUpdate
from abreast.store.transcripts import load_known
from tests.store.samples import bring, make_run


def story(reader, name):
    return [(event.session, event.kind, event.text) for _, event in reader.events(name)]


def test_a_run_is_read_back_as_it_was_added(store, reader):
    full = Session(
        id="r1/all",
        run="r1",
        task="all",
        agent="claude",
        state=SessionState.DONE,
        kind=SessionKind.OPEN,
        produces="All — « ça », '%s' ?",
        attempt=3,
        base_sha="2" * 40,
        branch="abreast/r1/all",
        worktree="/w",
        directory="/d",
        cli_session="c",
        model="m",
        started=1.25,
        ended=2.5,
        last_action="edit a.py",
        turns=4,
        usage=Usage(10_000_000_000, 2, 3, 0.125, "transcript"),
        files=("a.py", "caf\udce9", "new\nline"),
        commit="3" * 40,
        reason="r",
        hint="h",
        final_message="f",
        landing=LandState.LANDED,
        landed="4" * 40,
        needs=("t0", "t1"),
        after=("t2",),
        conflicts=(WorkConflict("main", (FileConflict("caf\udce9", ((1, 2),)),), is_target=True),),
        outside=("caf\udce9",),
        dropped=("a.py: x = 1",),
        repairs=1,
        most_repairs=2,
        mending="5" * 40,
        parent="r0/t9",
        started_tick="boot 1.250",
        ended_tick="boot 2.500",
        added=14,
        deleted=3,
        moved=6.5,
        moved_tick="boot 2.500",
        cause=Cause.BILLING,
        held=Hold(HoldKind.QUOTA, "its limit, caf\udce9", 8.5, 6.5, "wait", ends=True),
        setbacks=3,
    )
    assert all(getattr(full, f.name) != f.default for f in fields(Session)), (
        "a field at its default would not be tested"
    )
    run = make_run()
    run = replace(run, generation=4, ended=7.0, created_tick="boot 1.000", common_dir="/repo/.git")
    run = replace(run, sessions=(*run.sessions, full))
    store.add_run(run, "{}")
    assert reader.run("r1") == run


def test_text_no_database_takes_is_kept_as_far_as_it_can(store, reader):
    store.add_run(make_run(), "{}")
    store.update_session("r1/t0", SessionUpdate(final_message="a\x00b\udcffc", reason="\ud800"))
    session = reader.session("r1/t0")
    assert (session.final_message, session.reason) == ("a\ufffdb\ufffdc", "\ufffd")


def test_the_plan_is_kept_as_it_was_given(store, reader):
    store.add_run(make_run(), '{"schema": 1, "prompt": "ä\\u0000"}')
    assert reader.plan_json("r1") == '{"schema": 1, "prompt": "ä\\u0000"}'


def test_a_run_of_the_same_id_is_refused(store, reader):
    store.add_run(make_run(), "{}")
    with pytest.raises(StateError, match="the run r1 already exists"):
        store.add_run(make_run(tasks=5), "{}")
    assert len(reader.run("r1").sessions) == 2


def test_a_change_touches_only_what_it_names(store, reader):
    store.add_run(make_run(), "{}")
    before = reader.run("r1")
    store.update_session("r1/t1", SessionUpdate(worktree="/w", files=("a", "b"), turns=2))
    after = reader.run("r1")
    assert after.sessions[0] == before.sessions[0]
    assert after.sessions[1] == replace(
        before.sessions[1], worktree="/w", files=("a", "b"), turns=2
    )


def test_a_change_can_name_every_field_that_a_session_gains_over_time():
    fixed = {"id", "run", "task", "kind", "produces", "needs", "after", "parent", "most_repairs"}
    elsewhere = {"attempt", "usage"}  # next_attempt, set_usage
    elsewhere |= {"started_tick", "ended_tick", "moved", "moved_tick"}  # times
    assert {f.name for f in fields(SessionUpdate)} == (
        {f.name for f in fields(Session)} - fixed - elsewhere
    )


def test_times_are_set_where_the_state_says_so(store, reader, clock):
    store.add_run(make_run(), "{}")
    store.update_session("r1/t0", SessionUpdate(last_action="waits"))
    assert reader.session("r1/t0").started is None
    store.update_session("r1/t0", SessionUpdate(state=SessionState.PREPARING))
    clock.now = 6000.0
    store.update_session("r1/t0", SessionUpdate(state=SessionState.RUNNING))
    session = reader.session("r1/t0")
    assert (session.started, session.ended, session.moved) == (5000.0, None, 6000.0)
    store.update_session("r1/t0", SessionUpdate(state=SessionState.DONE))
    clock.now = 7000.0
    store.update_session("r1/t0", SessionUpdate(state=SessionState.DONE))
    session = reader.session("r1/t0")
    assert (session.started, session.ended) == (5000.0, 6000.0)
    assert session.took(Moment(0.0)) == 100.0  # by the tick, of which it has one in ten
    store.update_session("r1/t1", SessionUpdate(state=SessionState.STOPPED, started=1.0, ended=2.0))
    session = reader.session("r1/t1")
    assert (session.started, session.ended) == (1.0, 2.0)


def to_be_landed(run):
    sessions = [replace(session, landing=LandState.QUEUED) for session in run.sessions]
    return replace(run, sessions=tuple(sessions))


def test_the_story_tells_each_new_state_once(store, reader):
    store.add_run(to_be_landed(make_run(tasks=1)), "{}")
    store.set_run_state("r1", RunState.RUNNING)
    store.set_run_state("r1", RunState.RUNNING)
    bring(store, "r1/t0", SessionState.RUNNING)
    store.update_session("r1/t0", SessionUpdate(state=SessionState.RUNNING, turns=1))
    store.update_session("r1/t0", SessionUpdate(last_action="edit a"), event=("tool", "edit a"))
    store.update_session("r1/t0", SessionUpdate(state=SessionState.FAILED, reason="verify is red"))
    bounce = SessionUpdate(landing=LandState.BOUNCED, reason="conflicts with main")
    store.update_session("r1/t0", bounce)
    store.set_run_state("r1", RunState.FAILED, note="1 of 1 failed")
    assert story(reader, "r1") == [
        ("", "state", "queued"),
        ("", "state", "running"),
        ("r1/t0", "state", "preparing"),
        ("r1/t0", "state", "running"),
        ("r1/t0", "tool", "edit a"),
        ("r1/t0", "state", "failed: verify is red"),
        ("r1/t0", "landing", "bounced: conflicts with main"),
        ("", "state", "failed: 1 of 1 failed"),
    ]
    assert story(reader, "r1/t0") == [e for e in story(reader, "r1") if e[0]]


@pytest.mark.parametrize("final", sorted(FINAL_STATES))
def test_a_final_state_is_left_only_by_another_attempt(store, reader, final):
    store.add_run(make_run(), "{}")
    bring(store, "r1/t0", final)
    other = SessionState.PREPARING
    with pytest.raises(StateError, match=f"r1/t0 has ended as {final}; it cannot become preparing"):
        store.update_session("r1/t0", SessionUpdate(state=other, reason="never written"))
    assert reader.session("r1/t0").reason == ""
    assert story(reader, "r1/t0")[-1] == ("r1/t0", "state", final)
    store.next_attempt("r1/t0")
    store.update_session("r1/t0", SessionUpdate(state=other))
    assert reader.session("r1/t0").state is other


@pytest.mark.parametrize("state", SessionState)
def test_a_step_that_is_repeated_sets_its_state_again(store, reader, state):
    store.add_run(make_run(), "{}")
    bring(store, "r1/t0", state)
    store.update_session("r1/t0", SessionUpdate(state=state))
    assert reader.session("r1/t0").state is state


def test_another_attempt_starts_without_the_results_of_the_one_before(store, reader):
    store.add_run(to_be_landed(make_run()), "{}")
    kept = SessionUpdate(
        base_sha="b",
        branch="abreast/r1/t0",
        worktree="/w",
        directory="/d",
        cli_session="c",
        agent="codex",
    )
    store.update_session("r1/t0", kept)
    before = reader.session("r1/t0")
    gained = SessionUpdate(
        state=SessionState.FAILED,
        last_action="x",
        turns=3,
        files=("a",),
        commit="c",
        reason="r",
        hint="h",
        final_message="m",
        landing=LandState.BOUNCED,
        landed="l",
    )
    store.request_stop("r1/t0")
    store.update_session("r1/t0", gained)
    assert store.next_attempt("r1/t0") == 2
    after = reader.session("r1/t0")
    assert after.since is not None
    times = {"moved": after.moved, "moved_tick": after.moved_tick}
    assert after == replace(before, attempt=2, files=("a",), landing=LandState.NONE, **times)
    assert not store.stop_requested("r1/t0")
    with pytest.raises(StateError, match="r1/t0 has not ended: it is queued"):
        store.next_attempt("r1/t0")


def test_a_fresh_attempt_forgets_the_session_of_the_cli(store, reader):
    store.add_run(make_run(), "{}")
    store.update_session(
        "r1/t0",
        SessionUpdate(state=SessionState.FAILED, cli_session="c", branch="b", files=("a",)),
    )
    store.next_attempt("r1/t0", fresh=True)
    session = reader.session("r1/t0")
    assert (session.cli_session, session.branch, session.files) == ("", "b", ())


def test_every_session_of_the_cli_is_remembered_once(store, database_url):
    store.add_run(make_run(), "{}")
    bring(store, "r1/t0", SessionState.RUNNING)
    for cli_session in ("c", "c", "d", "c"):
        store.update_session(
            "r1/t0", SessionUpdate(state=SessionState.RUNNING, cli_session=cli_session)
        )
    store.update_session("r1/t0", SessionUpdate(state=SessionState.FAILED))
    store.next_attempt("r1/t0", fresh=True)
    bring(store, "r1/t0", SessionState.RUNNING, cli_session="e")
    [known] = load_known(database_url)
    assert known.cli_sessions == ("c", "d", "e")


def test_a_worker_of_an_earlier_attempt_is_fenced_off(store, reader):
    store.add_run(make_run(), "{}")
    store.update_session("r1/t0", SessionUpdate(state=SessionState.FAILED), attempt=1)
    store.next_attempt("r1/t0")
    with pytest.raises(StateError, match="r1/t0 is at attempt 2, not 1"):
        store.update_session("r1/t0", SessionUpdate(state=SessionState.RUNNING), attempt=1)
    assert reader.session("r1/t0").state is SessionState.QUEUED


def test_a_run_ends_once_and_may_be_asked_for_again(store, reader, clock):
    store.add_run(make_run(), "{}")
    store.set_run_state("r1", RunState.RUNNING)
    assert store.resume("r1", {}) == 2
    assert reader.run("r1").state is RunState.RUNNING
    store.request_stop("r1")
    store.set_run_state("r1", RunState.STOPPED)
    assert reader.run("r1").ended == 5000.0
    with pytest.raises(StateError, match="r1 has ended as stopped; it cannot become running"):
        store.set_run_state("r1", RunState.RUNNING)
    assert store.request_landing("r1", [], LandMode.MERGE, "main") == 3
    run = reader.run("r1")
    assert (run.state, run.ended, run.generation) == (RunState.LANDING, None, 3)
    assert not store.stop_requested("r1")


def test_a_run_is_closed_by_its_latest_request_alone(store, reader):
    store.add_run(make_run(), "{}")
    for number in (0, 1):
        store.update_session(f"r1/t{number}", SessionUpdate(state=SessionState.FAILED))
    assert store.resume("r1", {}) == 2
    before = reader.run("r1")
    assert store.move_run("r1", 1, lambda *_: RunState.FAILED) is None
    with pytest.raises(StateError, match="r1 is at request 2, not 1"):
        store.end_session("r1/t1", SessionUpdate(state=SessionState.SKIPPED), generation=1)
    assert reader.run("r1") == before
    assert [session.state for session in before.sessions] == [SessionState.QUEUED] * 2
    assert store.move_run("r1", 2, lambda *_: RunState.STOPPED) is RunState.STOPPED
    assert reader.run("r1").ended == 5000.0
    assert store.move_run("r1", 2, lambda *_: RunState.FAILED) is None, "it has ended"


def test_a_run_is_closed_as_it_was_judged(store, reader):
    """Who asks for another attempt meanwhile waits, and finds the run closed."""
    store.add_run(make_run(), "{}")
    store.update_session("r1/t0", SessionUpdate(state=SessionState.FAILED))
    bring(store, "r1/t1", SessionState.DONE, commit="c" * 40)
    store.request_stop("r1")
    asked = threading.Thread(target=store.resume, args=("r1", {}))

    def judge(run, stopping):
        asked.start()
        assert (run, stopping) == (before, True)
        asked.join(0.2)
        assert asked.is_alive()
        return RunState.FAILED

    before = reader.run("r1")
    assert store.move_run("r1", 1, judge) is RunState.FAILED
    asked.join()
    run = reader.run("r1")
    assert (run.state, run.generation) == (RunState.QUEUED, 2)
    assert [session.attempt for session in run.sessions] == [2, 1]
    assert [text for _, _, text in story(reader, "r1")][-3:] == [
        "failed",
        "queued: attempt 2",
        "queued",
    ]


def test_a_run_lands_what_is_done(store, reader):
    store.add_run(make_run(tasks=3), "{}")
    for number in (0, 1):
        bring(store, f"r1/t{number}", SessionState.DONE, commit="c" * 40)
    store.update_session("r1/t2", SessionUpdate(state=SessionState.FAILED))
    assert store.move_run("r1", 1, lambda *_: RunState.LANDING) is RunState.LANDING
    run = reader.run("r1")
    assert (run.state, run.generation) == (RunState.LANDING, 2)
    queued, none = LandState.QUEUED, LandState.NONE
    assert [session.landing for session in run.sessions] == [queued, queued, none]
    store.update_session("r1/t0", SessionUpdate(landing=LandState.LANDED, landed="d" * 40))
    with pytest.raises(StateError, match="r1/t2 has ended as none; it cannot become landed"):
        store.update_session("r1/t2", SessionUpdate(landing=LandState.LANDED))
    names = [session.id for session in run.sessions]
    assert store.request_landing("r1", names, LandMode.PR, "other") == 3
    run = reader.run("r1")
    assert (run.state, run.land, run.target) == (RunState.LANDING, LandMode.PR, "other")
    assert [session.landing for session in run.sessions] == [queued, queued, none]
    assert run.sessions[0].landed == ""


def test_a_landing_that_is_asked_for_while_a_run_is_at_work_waits(store, reader):
    store.add_run(make_run(), "{}")
    bring(store, "r1/t0", SessionState.DONE, commit="c" * 40)
    store.set_run_state("r1", RunState.RUNNING)
    store.request_landing("r1", ["r1/t0", "r1/t1"], LandMode.MERGE, "main")
    run = reader.run("r1")
    assert (run.state, run.generation) == (RunState.RUNNING, 2)
    assert [session.landing for session in run.sessions] == [LandState.QUEUED, LandState.NONE]


def test_a_session_that_is_to_go_on_is_queued_the_moment_it_ends(store, reader):
    store.add_run(make_run(tasks=4), "{}")
    for number in range(4):
        bring(store, f"r1/t{number}", SessionState.RUNNING, cli_session="c")
    lost = {"r1/t0": 1, "r1/t1": 1, "r1/t2": 7}
    assert store.resume("r1", lost) == 2
    unknown = SessionUpdate(state=SessionState.UNKNOWN, reason="killed")
    assert store.end_session("r1/t0", unknown, attempt=1) == 2
    assert store.end_session("r1/t1", SessionUpdate(state=SessionState.DONE), attempt=1) == 0
    assert store.end_session("r1/t2", unknown, attempt=1) == 0, "another attempt was meant"
    assert store.end_session("r1/t3", unknown, attempt=1) == 0
    one, *rest = reader.run("r1").sessions
    assert (one.state, one.attempt, one.reason) == (SessionState.QUEUED, 2, "")
    assert one.cli_session == "c"
    assert [session.attempt for session in rest] == [1, 1, 1]
    assert story(reader, "r1/t0")[-3:] == [
        ("r1/t0", "resume", "resume requested"),
        ("r1/t0", "state", "unknown: killed"),
        ("r1/t0", "state", "queued: attempt 2"),
    ]
    bring(store, "r1/t0", SessionState.RUNNING)
    assert store.end_session("r1/t0", unknown, attempt=2) == 0, "it was asked for once"


def test_another_attempt_is_for_all_of_the_sessions_or_for_none(store, reader):
    store.add_run(make_run(), "{}")
    store.update_session("r1/t0", SessionUpdate(state=SessionState.FAILED, cli_session="c"))
    before = reader.run("r1")
    with pytest.raises(StateError, match="r1/t1 has not ended: it is queued"):
        store.again("r1", ["r1/t0", "r1/t1"], {}, fresh=True)
    assert reader.run("r1") == before
    assert store.again("r1", ["r1/t0", "r1/t1"], {"r1/t1": 1}, fresh=True) == 2
    assert reader.session("r1/t0").cli_session == ""
    store.request_stop("r1/t1")
    unknown = SessionUpdate(state=SessionState.UNKNOWN)
    assert store.end_session("r1/t1", unknown) == 0, "the latest word counts"


def test_stopping_a_run_reaches_the_sessions_that_have_not_ended(store, reader):
    store.add_run(make_run(tasks=3), "{}")
    store.add_run(make_run("r2"), "{}")
    bring(store, "r1/t1", SessionState.DONE)
    assert store.request_stop("r1") == ["r1/t0", "r1/t2"]
    assert [store.stop_requested(n) for n in ("r1", "r1/t0", "r1/t1", "r1/t2", "r2", "r2/t0")] == [
        True,
        True,
        False,
        True,
        False,
        False,
    ]


def test_stopping_a_session_leaves_its_run_alone(store):
    store.add_run(make_run(), "{}")
    assert store.request_stop("r1/t1") == ["r1/t1"]
    assert not store.stop_requested("r1")
    store.update_session("r1/t1", SessionUpdate(state=SessionState.STOPPED))
    assert store.request_stop("r1/t1") == []


def test_usage_is_replaced_within_an_attempt_and_added_over_attempts(store, reader):
    store.add_run(make_run(), "{}")
    store.set_usage("r1/t0", 1, Usage(10, 1, 2, None, "stream"), {"m": Usage(9, 1, 2)})
    store.set_usage(
        "r1/t0", 1, Usage(20, 5, 4, None, "stream"), {"m": Usage(15, 5, 4), "n": Usage(5)}
    )
    assert reader.session("r1/t0").usage == Usage(20, 5, 4, None, "stream")
    store.set_usage("r1/t0", 2, Usage(3_000_000_000, None, 1, 0.5, "transcript"))
    assert reader.session("r1/t0").usage == Usage(3_000_000_020, 5, 5, 0.5, "transcript")
    parts = [(part.attempt, part.model, part.usage.input_tokens) for part in reader.usage("r1/t0")]
    assert parts == [(1, "", 20), (1, "m", 15), (1, "n", 5), (2, "", 3_000_000_000)]


@pytest.mark.parametrize("name", ["r9", "r9/t0"])
def test_what_does_not_exist_is_said_to_be_missing(store, reader, name):
    calls = [
        lambda: store.request_stop(name),
        lambda: store.stop_requested(name),
        lambda: store.add_event(name, "note", "x"),
    ]
    if "/" in name:
        calls += [
            lambda: store.update_session(name, SessionUpdate()),
            lambda: store.next_attempt(name),
            lambda: store.set_usage(name, 1, Usage()),
        ]
    else:
        calls += [
            lambda: store.set_run_state(name, RunState.DONE),
            lambda: store.resume(name, {}),
            lambda: store.move_run(name, 1, lambda *_: RunState.DONE),
            lambda: reader.plan_json(name),
        ]
    kind = "session" if "/" in name else "run"
    for call in calls:
        with pytest.raises(NotFoundError, match=f"there is no {kind} {name}"):
            call()


def test_events_can_be_added_by_hand(store, reader):
    store.add_run(make_run(), "{}")
    store.add_event("r1", "worker", "taken over")
    store.add_event("r1/t0", "tool", "edit a\x00")
    assert story(reader, "r1")[1:] == [
        ("", "worker", "taken over"),
        ("r1/t0", "tool", "edit a\ufffd"),
    ]


def test_unset_is_the_default_of_every_field():
    assert all(getattr(SessionUpdate(), f.name) is UNSET for f in fields(SessionUpdate))


def test_a_clock_that_is_set_back_makes_no_time_negative(store, reader, clock):
    store.add_run(make_run(tasks=1), "{}")
    bring(store, "r1/t0", SessionState.RUNNING)
    begun = clock()
    clock.set(-7171.0)
    running = reader.session("r1/t0")
    assert running.took(clock()) == clock().since(begun) == 0.0
    clock.now += 50.0
    store.update_session("r1/t0", SessionUpdate(state=SessionState.DONE))
    assert reader.session("r1/t0").took(clock()) == 5.0
    store.next_attempt("r1/t0")
    assert reader.session("r1/t0").took(clock()) is None


def test_the_newest_run_is_the_last_one_whatever_the_clock_said(store, reader):
    for name, created in (("first", 9000.0), ("then", 1000.0), ("last", 5000.0)):
        store.add_run(make_run(name, created=created), "{}")
    assert [run.id for run in reader.runs()] == ["last", "then", "first"]
    assert reader.run_by_prefix().id == "last"
    assert [session.run for session in reader.sessions_by_task("t0")] == ["last", "then", "first"]


def test_every_change_of_state_goes_by_the_table(store, reader):
    """Each session stands in one state and is to go to one other; so it is with landings."""
    fields_of = {"state": SESSIONS, "landing": LANDINGS}
    moves = [
        (name, old, new)
        for name, kind in (("state", SessionState), ("landing", LandState))
        for old, new in itertools.product(kind, kind)
    ]
    run = make_run(tasks=len(moves))
    standing = [
        replace(session, **{name: old})
        for session, (name, old, _) in zip(run.sessions, moves, strict=True)
    ]
    store.add_run(replace(run, sessions=tuple(standing)), "{}")
    for session, (name, old, new) in zip(standing, moves, strict=True):
        change = SessionUpdate(**{name: new})
        went = goes(lambda: store.update_session(session.id, change))  # noqa: B023
        assert went is fields_of[name].allow(old, new)
        assert getattr(reader.session(session.id), name) is (new if went else old)


def test_every_move_of_a_run_goes_by_the_table(store, reader):
    for number, (old, new) in enumerate(itertools.product(RunState, RunState)):
        run = make_run(f"r{number}", tasks=0)
        store.add_run(replace(run, state=old), "{}")
        went = goes(lambda: store.set_run_state(run.id, new))  # noqa: B023
        assert went is RUNS.allow(old, new)
        assert reader.run(run.id).state is (new if went else old)


def goes(move):
    try:
        move()
    except TransitionError:
        return False
    return True


def test_conflicts_are_replaced_and_what_begins_or_is_over_is_told(store, reader):
    store.add_run(make_run(), "{}")
    at = FileConflict("caf\udce9", ((1, 2), (5, 5)), ((3, 3),))
    one, main = WorkConflict("r1/t1", (at,)), WorkConflict("main", (at,), 7, is_target=True)
    assert store.set_conflicts("r1/t0", 1, (one, main)) == (one, main)
    assert reader.session("r1/t0").conflicts == (one, main)
    moved = replace(one, files=(replace(at, one=((2, 3),)),))
    assert store.set_conflicts("r1/t0", 1, (moved, main)) == ()  # other lines only
    assert reader.session("r1/t0").conflicts == (moved, main)
    other = replace(one, files=(FileConflict("b.py"),))
    assert store.set_conflicts("r1/t0", 1, (other,)) == (other,)
    assert store.set_conflicts("r1/t0", 2, ()) == ()  # another attempt's
    assert reader.session("r1/t0").conflicts == (other,)
    assert store.set_conflicts("r1/t0", 1, ()) == ()
    assert reader.session("r1/t0").conflicts == ()
    told = [text for _, kind, text in story(reader, "r1/t0") if kind == "conflict"]
    assert told == [
        "conflicts with r1/t1:\ncaf\ufffd: lines 1-2, 5 against line 3",
        "conflicts with main, as it is now:\ncaf\ufffd: lines 1-2, 5 against line 3\nand 7 more",
        "no longer conflicts with main",
        "conflicts with r1/t1:\nb.py",
        "no longer conflicts with r1/t1",
    ]
