"""What the real CLIs ask a person, and how they go on with the answer."""

import json
from pathlib import Path
from typing import Any

import pytest

from abreast import api
from abreast.engine.common.worker_process import ensure_worker
from abreast.errors import NotFoundError, StateError
from abreast.model.limits import Limits
from abreast.model.moves import Call, Move, Say, Write
from abreast.model.question import AnswerChoice, Decision, Question, QuestionKind
from abreast.model.session import SessionState
from abreast.runner.answers import Answered, put_answer
from abreast.store.reader import Reader
from tests.support.deadlines import MINUTES, eventually
from tests.support.rig import Rig, rigged, told

pytestmark = pytest.mark.clis

OPTIONS = (AnswerChoice("Tabs", "as in Go"), AnswerChoice("Spaces", "as in Python"))
PATIENT = Limits(minutes=MINUTES, idle_minutes=0, answer_minutes=MINUTES)


def asks(*questions: str, several: bool = False) -> Call:
    """The model's call of Claude Code's tool for questions."""
    options = [{"label": o.label, "description": o.description} for o in OPTIONS]
    parts = [
        {"question": q, "header": "Style", "options": options, "multiSelect": several}
        for q in questions
    ]
    return Call("AskUserQuestion", {"questions": parts})


def waiting(rig: Rig, session: str, number: int = 1) -> list[Question]:
    """What a session asks, once it waits for `number` answers."""

    def look() -> list[Question]:
        asked = api.questions(places=rig.stage.places)
        found = [one for one in asked if one.session == session]
        return found if len(found) == number else []

    return eventually(look, f"{session} waits for {number} answers")


def answered(rig: Rig, name: str, *given: Any, **more: Any) -> Any:
    return api.answer(name, *given, places=rig.stage.places, **more)


def done(*moves: Move) -> tuple[Move, ...]:
    return (*moves, Write("work.txt", "1\n"), Say("Done."))


def test_it_waits_for_the_answer_whoever_dies_meanwhile(tmp_path: Path) -> None:
    with rigged("claude", tmp_path, trapped=False) as rig:
        stage = rig.stage
        moves = done(asks("Tabs or spaces?", "How wide?"), asks("Which?", several=True))
        run = stage.start(rig.task("one", *moves, limits=PATIENT))
        name = f"{run.id}/one"
        first, second = waiting(rig, name, 2)
        assert (first.text, first.choices, first.live) == ("Tabs or spaces?", OPTIONS, True)
        stage.kill_worker()
        assert answered(rig, name, choices=[1]).left == 1
        assert answered(rig, second.id, "80 columns").left == 0
        with pytest.raises(NotFoundError, match=r"asks nothing|does not ask"):
            answered(rig, second.id, "100 columns")
        # Its runner takes the answer without a worker; the next one sees what it asks then.
        ensure_worker(stage.places)
        third = waiting(rig, name)[0]
        assert (third.text, third.several) == ("Which?", True)
        # A client that is killed after this has told nobody; the worker sees what came of it.
        job = stage.directory(name) / "agent"
        assert put_answer(job, "3", Answered(Decision.ANSWER, "Tabs, Spaces"))
        (session,) = stage.wait(run.id).sessions
        assert session.state is SessionState.DONE, session.reason
        said = json.dumps(told(rig.turns()[-1])).replace("\\", "")
        for heard in ('="Tabs"', '="80 columns"', '="Tabs, Spaces"'):
            assert said.count(heard) == 1, said
        assert stage.events(name, "asked") == [
            "Tabs or spaces? (Tabs / Spaces)",
            "How wide? (Tabs / Spaces)",
            "Which? (Tabs / Spaces)",
        ]
        assert stage.events(name, "answered") == ["Tabs", "80 columns", "Tabs, Spaces"]


def test_an_answer_outlives_everything_that_it_was_for(tmp_path: Path) -> None:
    with rigged("claude", tmp_path, trapped=False) as rig:
        stage = rig.stage
        run = stage.start(rig.task("one", *done(asks("Tabs or spaces?")), limits=PATIENT))
        name = f"{run.id}/one"
        waiting(rig, name)
        stage.kill_everything()
        assert answered(rig, name, "Tabs").lost
        rig.play("tabs", *done(), match="The answer is: Tabs")
        api.resume(run.id, places=stage.places)
        (session,) = stage.wait(run.id).sessions
        assert (session.state, session.attempt) == (SessionState.DONE, 2), session.reason
        assert len(rig.turns("tabs")) == 2


def test_permissions_are_given_once_or_for_the_session_or_denied(tmp_path: Path) -> None:
    with rigged("claude", tmp_path, trapped=False) as rig:
        once, lasting, never = (rig.root / f"{word}.txt" for word in ("once", "lasting", "never"))
        hook = rig.repo.path / ".git" / "hooks" / "pre-commit"
        moves = (
            *(Write(str(once), "1\n"), Write(str(lasting), "1\n"), Write(str(lasting), "2\n")),
            *(Write(str(never), "x\n"), Write(str(once), "2\n")),
        )
        run = rig.stage.start(
            rig.task("one", *done(*moves), limits=PATIENT),
            rig.task("two", *done(Write(str(hook), "echo evil\n")), limits=PATIENT),
        )
        name = f"{run.id}/one"
        for about, decision, word in (
            (once, Decision.ONCE, ""),
            (lasting, Decision.SESSION, ""),
            (never, Decision.DENY, "put it into the worktree"),
            (once, Decision.DENY, ""),
        ):
            (asked,) = wait_about(rig, name, about)
            assert (asked.kind, asked.tool, asked.about) == (
                QuestionKind.PERMISSION,
                "Write",
                str(about),
            )
            assert asked.offered == (Decision.ONCE, Decision.SESSION, Decision.DENY)
            answered(rig, asked.id, word, decision=decision)
        sessions = {s.task: s for s in rig.stage.wait(run.id).sessions}
        # A person's refusal is an answer: it stands in the way of nothing.
        assert sessions["one"].state is SessionState.DONE, sessions["one"].reason
        assert (once.read_text(), lasting.read_text()) == ("1\n", "2\n")
        assert not never.exists()
        assert "put it into the worktree" in told(rig.turns("one")[-1])
        # Of git's hooks nobody is asked.
        assert sessions["two"].state is SessionState.BLOCKED
        assert "pre-commit" in sessions["two"].reason
        assert not hook.exists()
        assert [o.about for o in Reader(rig.stage.places.database).questions(f"{run.id}/two")] == []


def wait_about(rig: Rig, session: str, about: Path) -> list[Question]:
    def look() -> list[Question]:
        asked = api.questions(places=rig.stage.places)
        return [o for o in asked if o.session == session and o.about == str(about)]

    return eventually(look, f"{session} asks about {about}")


def test_one_that_nobody_answers_ends_and_is_resumed_with_the_answer(tmp_path: Path) -> None:
    with rigged("claude", tmp_path, trapped=False) as rig:
        stage, outside = rig.stage, rig.root / "outside.txt"
        limits = Limits(minutes=MINUTES, idle_minutes=0, answer_minutes=0.001)
        run = stage.run(
            rig.task("one", Say("FIRST-WORD"), asks("Tabs or spaces?"), limits=limits),
            rig.task("two", Write(str(outside), "1\n"), limits=limits),
        )
        one, two = run.sessions
        assert (one.state, one.reason) == (SessionState.BLOCKED, "it asks: Tabs or spaces?")
        assert (two.state, two.reason) == (
            SessionState.BLOCKED,
            f"it may not, and asks: Write {outside}",
        )
        assert one.hint == f"answer it: abreast answer {one.id}"
        asked = {o.session: o for o in api.questions(places=stage.places)}
        assert [asked[s.id].live for s in (one, two)] == [False, False]
        # Its CLI does not wait any more: a single call cannot be allowed.
        with pytest.raises(StateError, match="cannot be allowed once"):
            answered(rig, two.id, decision=Decision.ONCE)

        rig.play("spaces", *done(), match="The answer is: Spaces")
        moves = done(Write(str(outside), "2\n"))
        rig.play("allowed", *moves, match="You may now do this, for the rest of this session")
        assert answered(rig, one.id, choices=[2]).resumed
        assert answered(rig, two.id, decision=Decision.SESSION).resumed
        after = stage.wait(run.id).sessions
        assert [s.state for s in after] == [SessionState.DONE] * 2, [s.reason for s in after]
        assert [s.cli_session for s in after] == [one.cli_session, two.cli_session]
        assert "FIRST-WORD" in told(rig.turns("spaces")[-1])
        assert outside.read_text() == "2\n"
        assert api.questions(places=stage.places) == []


@pytest.mark.parametrize("name", ["codex", "gemini"])
def test_one_that_cannot_wait_ends_its_turn_with_the_question(name: str, tmp_path: Path) -> None:
    with rigged(name, tmp_path, trapped=False) as rig:
        half = Write("half.txt", "1\n")
        run = rig.stage.run(
            rig.task("one", half, Say("Half is done.\n\nQuestion: Tabs or spaces?"))
        )
        (one,) = run.sessions
        assert (one.state, one.reason) == (SessionState.BLOCKED, "it asks: Tabs or spaces?")
        assert "a last line that begins with `Question:`" in told(rig.turns()[0])
        rig.play("spaces", *done(), match="The answer is: Spaces")
        assert answered(rig, one.id, "Spaces").resumed
        (after,) = rig.stage.wait(run.id).sessions
        assert after.state is SessionState.DONE, after.reason
        assert (after.cli_session, after.files) == (one.cli_session, ("half.txt", "work.txt"))


@pytest.mark.parametrize("name", ["codex", "gemini"])
def test_one_that_cannot_wait_is_allowed_for_the_session(name: str, tmp_path: Path) -> None:
    with rigged(name, tmp_path, trapped=False) as rig:
        (rig.root / "shared").mkdir()
        outside = rig.root / "shared" / "outside.txt"
        run = rig.stage.run(rig.task("one", Write(str(outside), "1\n"), Say("Done.")))
        (one,) = run.sessions
        (asked,) = api.questions(places=rig.stage.places)
        assert (one.state, one.hint) == (
            SessionState.BLOCKED,
            f"answer it: abreast answer {one.id}",
        )
        # What is to be allowed is told as it is: all of a folder.
        assert (asked.tool, asked.about) == ("write in", str(outside.parent))
        assert asked.offered == (Decision.SESSION, Decision.DENY)
        moves = done(Write(str(outside), "2\n"))
        rig.play("allowed", *moves, match="You may now do this, for the rest of this session")
        assert answered(rig, one.id, decision=Decision.SESSION).resumed
        (after,) = rig.stage.wait(run.id).sessions
        assert after.state is SessionState.DONE, after.reason
        assert outside.read_text() == "2\n"
