"""`abreast answer` at a terminal and in a pipe: all that waits, and what each key does."""

import json
from collections.abc import Iterator

import pytest

from abreast.cli.edge import guard
from abreast.model.moves import EndTurn, Fail, Say, Write
from abreast.model.question import AnswerChoice, Decision, Question, QuestionKind
from abreast.model.session import LandMode, SessionState
from abreast.places import find_places
from abreast.process.environment import SESSION
from abreast.store.engine import make_engine
from abreast.store.reader import Reader
from abreast.store.writer import Store
from tests.cli.test_door import Screen, screen  # noqa: F401 (a fixture)
from tests.support.repos import Repo
from tests.support.stage import Stage, scripted, task, writes


@pytest.fixture
def stage(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.chdir(repo.path)
    with Stage(find_places().make(), repo) as made:
        yield made


def also_asks(stage: Stage, session: str) -> None:
    """Let a blocked session ask two things more, as the CLIs do that offer choices."""
    choices = (AnswerChoice("Tabs", "as in Go"), AnswerChoice("Spaces"))
    asked = [
        Question(
            f"{session}#1.1",
            session,
            1,
            QuestionKind.QUESTION,
            "Which?",
            2.0,
            choices=choices,
            several=True,
        ),
        Question(
            f"{session}#1.2",
            session,
            1,
            QuestionKind.PERMISSION,
            "it wants to write there",
            3.0,
            choices=tuple(map(AnswerChoice, (Decision.ONCE, Decision.SESSION, Decision.DENY))),
            tool="Write",
            about="/home/ada/notes.md",
        ),
    ]
    engine = make_engine(stage.places.database)
    try:
        Store(engine).ask(session, asked)
    finally:
        engine.dispose()


def test_it_walks_through_all_that_waits(
    stage: Stage,
    screen: Screen,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = stage.run(
        task("asks", scripted(EndTurn("Which of the two?"), Write("a.txt", "a\n"), Say("Done."))),
        task("late", scripted(Fail("no"))),
    )
    review = stage.run(task("look", writes("b.txt")), land=LandMode.REVIEW)
    name = f"{run.id}/asks"
    also_asks(stage, name)

    capsys.readouterr()
    assert guard(["answer", "--json"]) == 0
    needs = json.loads(capsys.readouterr().out)["needs"]
    assert [one["session"] for one in needs] == [name, f"{review.id}/look"]
    assert guard(["answer"]) == 0
    page, what_next = capsys.readouterr()
    assert ": to be reviewed" in page
    assert what_next == f"next: abreast answer {name}#1.1 --choice 1\n"
    assert guard(["answer", f"{review.id}/look"]) == 0
    assert capsys.readouterr().err == ""  # what it needs is no answer in words
    assert guard(["answer", f"{name}#1.2"]) == 0
    shown = capsys.readouterr().out
    # It has ended: a single call is not to be allowed any more.
    assert shown.index("Write\n    /home/ada/notes.md") < shown.index("1  allow it for the rest")
    assert "Which?" not in shown
    assert "allow this call" not in shown

    # Both choices; first no answer, then denied and why; in words; and the review is left.
    keys = "1, 2\nyes\n2\nnot there\nthe first\ns\n"
    seen = screen.run("answer", keys=keys)
    assert "1 of 4" in seen
    assert "1  Tabs: as in Go" in seen
    assert "answer with 1, 2, s or q" in seen
    assert f"{name} goes on once 2 more are answered" in seen
    assert f"{name} is resumed with it" in seen
    assert f"abreast land {review.id}/look --review: shows it" in seen
    stage.wait(run.id)
    asks = stage.session(name)
    assert (asks.state, asks.attempt) == (SessionState.DONE, 2)
    prompt = (stage.directory(name) / "prompt.md").read_text()
    assert "You asked: Which?\nThe answer is: Tabs, Spaces" in prompt
    assert "You may not do this; finish the task without it: Write /home/ada/notes.md" in prompt
    assert "not there" in prompt
    assert "You asked: Which of the two?\nThe answer is: the first" in prompt


def test_an_answer_that_does_not_fit_changes_nothing(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    run = stage.run(task("asks", scripted(Say("Which of the two?"))))
    name = f"{run.id}/asks"
    for arguments, said in (
        ((name, "--choice", "1"), "has no choices"),
        ((name, " "), "the answer is empty"),
        ((name, "--allow", "once"), "asks for no permission"),
        ((name, "x", "--choice", "1"), "give one answer"),
        (("", "--deny"), "name the session that is answered"),
        ((f"{name}#7.7", "x"), "does not ask 7.7"),
    ):
        assert guard(["answer", *arguments]) != 0
        assert said in capsys.readouterr().err
    assert stage.session(name).attempt == 1


def test_a_session_is_no_person(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = stage.run(task("asks", scripted(Say("Which of the two?"))))
    name = f"{run.id}/asks"
    monkeypatch.setenv(SESSION, name)
    for arguments, said in (
        (("answer", name, "the first"), "only a person answers"),
        (("resume", name, "--message", "go on"), "only a person resumes"),
        (("tell", name, "the first"), f"{name} has ended"),
    ):
        assert guard(arguments) != 0
        assert said in capsys.readouterr().err
    assert stage.session(name).attempt == 1
    assert [one.answered for one in Reader(stage.places.database).questions(name)] == [None]
