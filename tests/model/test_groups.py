"""Every state of a session is in one group, and what needs a person says how to answer it."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abreast.model.groups import snapshot_of
from abreast.model.moment import Moment
from abreast.model.need import NeedKind
from abreast.model.question import Question, QuestionKind
from abreast.model.session import (
    Attendance,
    LandMode,
    LandState,
    Presence,
    RunState,
    Session,
    SessionKind,
    SessionState,
)
from abreast.model.snapshot import Group, Snapshot, Watched
from tests.cli import values

HERE = Presence(Attendance.WORKER)
ENDED = {"started": values.CREATED + 1, "ended": values.CREATED + 9}
DONE = values.session("a", SessionState.DONE, commit="c" * 40, **ENDED)


def shown(*sessions, presence=HERE, asked=(), **fields):
    fields.setdefault("state", RunState.FAILED)
    return snapshot_of([Watched(values.run(*sessions, **fields), presence)], asked, 7)


def only(session, **fields):
    [row] = shown(session, **fields).rows
    return row


@pytest.mark.parametrize("state", list(SessionState))
def test_every_state_has_a_group_without_a_need_of_its_own(state):
    wanted = {
        SessionState.QUEUED: Group.WAITING,
        SessionState.FAILED: Group.FAILED,
        SessionState.UNKNOWN: Group.FAILED,
        SessionState.SKIPPED: Group.FAILED,
        SessionState.BLOCKED: Group.NEEDS_YOU,
        SessionState.STOPPED: Group.NEEDS_YOU,
        SessionState.DONE: Group.DONE,
    }
    row = only(values.session("a", state, reason="r", **(ENDED if state.final else {})))
    assert row.group is wanted.get(state, Group.WORKING)
    assert (row.need is not None) == (row.group is Group.NEEDS_YOU)


@pytest.mark.parametrize(
    ("session", "fields", "kind", "asked", "command"),
    [
        (
            values.session("a", SessionState.BLOCKED, reason="it asks: Tabs?", **ENDED),
            {},
            NeedKind.QUESTION,
            "Tabs?",
            'abreast resume k3v9/a -m "…"',
        ),
        (
            values.session("a", SessionState.BLOCKED, reason="denied: rm", **ENDED),
            {},
            NeedKind.PERMISSION,
            "denied: rm",
            "abreast attach k3v9/a",
        ),
        (
            values.session("a", SessionState.BLOCKED, reason="not started: no credit", **ENDED),
            {},
            NeedKind.QUOTA,
            "not started: no credit",
            "abreast resume k3v9",
        ),
        (
            values.session("a", SessionState.STOPPED, reason="stopped by the limit", **ENDED),
            {},
            NeedKind.LIMIT,
            "stopped by the limit",
            "abreast resume k3v9/a",
        ),
        (
            replace(DONE, files=("a.py", "b.py")),
            {"land": LandMode.REVIEW, "state": RunState.DONE},
            NeedKind.REVIEW,
            "2 files for your review",
            "abreast land k3v9/a --review",
        ),
        (
            replace(DONE, landing=LandState.BOUNCED, reason="conflicts"),
            {"land": LandMode.MERGE},
            NeedKind.BOUNCE,
            "conflicts",
            "abreast retry k3v9/a",
        ),
        (
            replace(DONE, landing=LandState.READY, reason="edits overlap"),
            {"land": LandMode.MERGE},
            NeedKind.CHECKOUT,
            "edits overlap",
            "abreast land k3v9/a",
        ),
        (
            replace(DONE, reason="main itself is red"),
            {"land": LandMode.MERGE},
            NeedKind.LEFT,
            "main itself is red",
            "abreast land k3v9/a",
        ),
    ],
)
def test_a_need_says_what_is_asked_and_how_to_answer(session, fields, kind, asked, command):
    row = only(session, **fields)
    assert row.group is Group.NEEDS_YOU
    assert (row.need.kind, row.need.asked, row.need.since) == (kind, asked, session.ended)
    assert row.need.answers[0].command == command
    assert all(one.does for one in row.need.answers)


@pytest.mark.parametrize(
    ("session", "fields", "group"),
    [
        (values.session("a", SessionState.STOPPED, reason="stopped by you"), {}, Group.FAILED),
        (values.session("a", SessionState.BLOCKED, kind=SessionKind.CHILD), {}, Group.FAILED),
        (DONE, {"land": LandMode.MERGE, "state": RunState.RUNNING}, Group.TO_LAND),
        (DONE, {"land": LandMode.REVIEW, "state": RunState.RUNNING}, Group.DONE),
        (replace(DONE, landing=LandState.QUEUED), {"state": RunState.LANDING}, Group.TO_LAND),
        (replace(DONE, landing=LandState.LANDED), {}, Group.DONE),
        (replace(DONE, reason="its landing was stopped by you"), {}, Group.DONE),
        (replace(DONE, state=SessionState.RUNNING), {"state": RunState.OPEN}, Group.WORKING),
    ],
)
def test_what_needs_nobody(session, fields, group):
    row = only(session, **fields)
    assert (row.group, row.need) == (group, None)


def test_a_question_comes_before_all_else_of_its_session():
    at_work = values.session("a", SessionState.RUNNING, started=values.CREATED)
    ask = Question("k3v9/a#1.1", at_work.id, 1, QuestionKind.QUESTION, "Tabs?", 5.0, live=True)
    wish = replace(ask, id="k3v9/a#1.2", kind=QuestionKind.PERMISSION, tool="Bash", about="rm x")
    row = only(at_work, asked=[ask, wish])
    assert (row.need.kind, row.need.asked, row.need.since) == (NeedKind.QUESTION, "Tabs?", 5.0)
    assert row.need.questions == (ask, wish)
    row = only(at_work, asked=[wish])
    assert (row.need.kind, row.need.asked) == (NeedKind.PERMISSION, "may it use Bash: rm x")


def test_groups_are_in_order_and_the_oldest_need_first():
    late, early = (
        values.session(n, SessionState.BLOCKED, reason="it asks: x?", ended=values.CREATED + at)
        for n, at in (("late", 9), ("early", 3))
    )
    sessions = [
        values.session("wait", SessionState.QUEUED, needs=("run", "late")),
        DONE,
        values.session("place", SessionState.QUEUED),
        late,
        values.session("run", SessionState.RUNNING),
        early,
        values.session("bad", SessionState.FAILED),
        replace(DONE, id="k3v9/b", task="b", landing=LandState.QUEUED),
    ]
    snapshot = shown(*sessions, state=RunState.RUNNING)
    assert [(group, [row.session.task for row in rows]) for group, rows in snapshot.groups()] == [
        (Group.NEEDS_YOU, ["early", "late"]),
        (Group.FAILED, ["bad"]),
        (Group.WORKING, ["run"]),
        (Group.WAITING, ["wait", "place"]),
        (Group.TO_LAND, ["b"]),
        (Group.DONE, ["a"]),
    ]
    assert [row.waits for row in snapshot.rows if row.waits] == ["after run", "for a place"]


def test_a_run_that_nobody_works_on_asks_once():
    queue = [values.session(n, SessionState.QUEUED) for n in ("a", "b")]
    left = Presence(Attendance.NOBODY, values.CREATED)
    snapshot = shown(*queue, presence=left, state=RunState.RUNNING)
    assert [row.need and row.need.kind for row in snapshot.rows] == [NeedKind.UNATTENDED, None]
    attended = shown(*queue, state=RunState.RUNNING)
    assert snapshot.revision != attended.revision == "0000000000000007"


def test_the_age_of_a_state_is_measured_by_the_boot_clock():
    ended = replace(DONE, ended_tick="boot 10.0")
    assert only(ended).age(Moment(values.CREATED - 900, "boot 14.5")) == 4.5


STATES = st.sampled_from(SessionState)
LANDINGS = st.sampled_from(LandState)
WHO = st.sampled_from(Attendance)


@given(
    st.lists(
        st.tuples(
            st.lists(st.tuples(STATES, LANDINGS, st.booleans()), min_size=3, max_size=3),
            st.sampled_from(RunState),
            st.sampled_from(LandMode),
            WHO,
        ),
        min_size=2,
        max_size=5,
    )
)
def test_what_is_taken_over_is_as_what_is_made_anew(looks: list[Any]) -> None:
    """Whatever changes between two looks, and whatever does not."""
    before: Snapshot | None = None
    kept: dict[tuple[object, ...], Session] = {}
    for sessions, state, land, who in looks:
        made = []
        for n, (stands, landing, asks) in enumerate(sessions):
            key = (n, stands, landing)
            kept.setdefault(
                key,
                replace(
                    values.RETRY,
                    id=f"k3v9/{n}",
                    task=str(n),
                    state=stands,
                    landing=landing,
                    after=("0",) if n else (),
                ),
            )
            made.append((kept[key], asks))
        run = values.run(*(one for one, _ in made), state=state, land=land)
        asked = [
            Question(f"{one.id}#1.1", one.id, 1, QuestionKind.QUESTION, "?", 1.0)
            for one, asks in made
            if asks
        ]
        watched = [Watched(run, Presence(who))]
        anew, before = snapshot_of(watched, asked, 1), snapshot_of(watched, asked, 1, before)
        assert before.rows == anew.rows
