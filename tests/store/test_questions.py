"""A question is written down once, answered once, and waits only while its session does."""

from dataclasses import replace

import pytest

from abreast.errors import NotFoundError
from abreast.model.question import AnswerChoice, Decision, Question, QuestionKind
from abreast.model.session import SessionState
from abreast.store.rows import SessionUpdate
from tests.store.samples import bring, make_run

ASKED = Question(
    id="r1/t0#1.1",
    session="r1/t0",
    attempt=1,
    kind=QuestionKind.QUESTION,
    text="Tabs or spaces?",
    asked=4000.5,
    choices=(AnswerChoice("Tabs", "as in Go"), AnswerChoice("Spaces")),
    several=True,
    call="req-1",
    live=True,
)
WISH = replace(
    ASKED,
    id="r1/t0#1.2",
    kind=QuestionKind.PERMISSION,
    text="It wants to write a file outside its worktree",
    asked=4001.0,
    choices=(),
    several=False,
    tool="Write",
    about="/home/ada/caf\N{LATIN SMALL LETTER E WITH ACUTE}.md",
    call="req-2",
)


@pytest.fixture
def asking(store, reader):
    """A session at work, `r1/t0`, that has asked two things."""
    store.add_run(make_run(), "{}")
    bring(store, "r1/t0", SessionState.RUNNING)
    assert store.ask("r1/t0", [WISH, ASKED]) == [WISH, ASKED]
    return store


def test_what_is_asked_is_read_back_the_oldest_first_and_told_once(asking, reader):
    assert asking.ask("r1/t0", [WISH, ASKED]) == []  # the step is repeated
    assert reader.waiting() == reader.questions("r1/t0") == [ASKED, WISH]
    told = [event.text for _, event in reader.events("r1/t0") if event.kind == "asked"]
    assert told == [f"may it use Write: {WISH.about}", "Tabs or spaces? (Tabs / Spaces)"]


def test_the_first_answer_counts(asking, reader, clock):
    assert asking.answer(WISH.id, Decision.SESSION, "for the notes")
    assert not asking.answer(WISH.id, Decision.DENY)
    given = replace(
        WISH, live=False, answered=clock.now, decision=Decision.SESSION, answer="for the notes"
    )
    assert reader.questions("r1/t0") == [ASKED, given]
    assert reader.allowed("r1/t0") == [given]
    assert reader.waiting() == [ASKED]
    assert [e.text for _, e in reader.events("r1/t0") if e.kind == "answered"] == [
        "allowed for this session: for the notes"
    ]
    with pytest.raises(NotFoundError, match=r"there is no question r1/t0#1\.9"):
        asking.answer("r1/t0#1.9", Decision.DENY)


def test_a_question_outlives_the_cli_that_asked_only_while_its_session_is_blocked(asking, reader):
    asking.hang_up("r1/t0")
    assert reader.waiting() == []  # it may still be going on by itself
    asking.update_session("r1/t0", SessionUpdate(state=SessionState.BLOCKED))
    assert [one.live for one in reader.waiting()] == [False, False]
    asking.next_attempt("r1/t0")
    assert reader.waiting() == []
