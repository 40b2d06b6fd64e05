"""What a session has asked when its job ended, however that was."""

from dataclasses import replace

import pytest

from abreast.agents import mailbox
from abreast.engine.client.answering import find_question
from abreast.engine.client.requests import connect
from abreast.engine.working.session.asking import bring_answers, note_asked, note_ended
from abreast.engine.working.session.context import Engine, open_context
from abreast.engine.working.session.prompts import SAID
from abreast.errors import NotFoundError
from abreast.model.moves import EndTurn, Say, Write
from abreast.model.question import Decision, Question, QuestionKind
from abreast.model.session import SessionState
from abreast.runner.answers import Answered, put_answer
from abreast.runner.job import JobProgress
from abreast.runner.supervise import lost
from abreast.store.reader import Reader
from tests.support.stage import Stage, scripted, task, writes


def asked(number: int, call: str) -> Question:
    kind = QuestionKind.QUESTION
    return Question(str(number), "", 0, kind, f"Number {number}?", 1.0, call=call, live=True)


def test_what_was_answered_and_not_heard_is_a_letter(shared_stage: Stage) -> None:
    """Its runner was killed between the answer and the agent; the step may be repeated."""
    stage = shared_stage
    name = f"{stage.run(task('one', writes('a.txt'))).id}/one"
    questions = (asked(1, "a"), asked(2, "b"), asked(3, "b"), asked(4, "c"))
    heard = replace(questions[3], decision=Decision.ANSWER, answer="heard", live=False)
    with connect(stage.places) as client:
        engine = Engine(stage.places, client.store, client.reader)
        context = open_context(engine, name, 1)
        note_asked(context, JobProgress(asked=questions))
        reader = Reader(stage.places.database)
        assert [one.live for one in reader.questions(name)] == [True] * 4
        put_answer(context.layout.job("agent"), "1", Answered(Decision.ANSWER, "yes"))
        put_answer(context.layout.job("agent"), "2", Answered(Decision.ANSWER, "half"))
        put_answer(context.layout.job("agent"), "3", Answered(Decision.NONE))
        result = lost(1.0, JobProgress(asked=(*questions[:3], heard)))
        for _ in range(2):
            note_ended(context, result)
    found = reader.questions(name)
    assert [one.live for one in found] == [False] * 4
    assert [one.answer for one in found] == ["yes", "half", "", "heard"]
    # The second call lacks an answer: its letter goes with the last one of them.
    (letter,) = mailbox.pending(context.layout.mailbox)
    assert letter.text == "Message from the user:\nYou asked: Number 1?\nThe answer is: yes"


def test_answers_on_record_are_brought_by_any_resume(shared_stage: Stage) -> None:
    """Whoever gave them was killed before they could resume the session."""
    stage = shared_stage
    again = (EndTurn("Question: which of the two?"), Write("b.txt", "b\n"), Say("Done."))
    name = f"{stage.run(task('two', scripted(*again))).id}/two"
    (question,) = Reader(stage.places.database).questions(name)
    with connect(stage.places) as client:
        assert client.store.answer(question.id, Decision.ANSWER, "the first")
        blocked = stage.session(name)
        with pytest.raises(NotFoundError) as caught:
            find_question(blocked, "", stage.places)
        assert blocked.goes_on_by in str(caught.value.hint)
        client.resume_one(blocked)
    stage.wait(blocked.run)
    prompt = (stage.directory(name) / "prompt.md").read_text()
    said = "You asked: which of the two?\nThe answer is: the first"
    assert prompt.count(said) == 1
    assert prompt.startswith(SAID)
    assert stage.session(name).state is SessionState.DONE
    with connect(stage.places) as client:  # the step may be repeated
        context = open_context(Engine(stage.places, client.store, client.reader), name, 2)
        bring_answers(context)
        assert mailbox.pending(context.layout.mailbox) == []
