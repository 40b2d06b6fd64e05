"""What a session has asked when its job ended, however that was."""

from dataclasses import replace

from abreast.agents import mailbox
from abreast.engine.client.requests import connect
from abreast.engine.working.session.asking import note_asked, note_ended
from abreast.engine.working.session.context import Engine, open_context
from abreast.model.question import Decision, Question, QuestionKind
from abreast.runner.answers import Answered, put_answer
from abreast.runner.job import JobProgress
from abreast.runner.supervise import lost
from abreast.store.reader import Reader
from tests.support.stage import Stage, task, writes


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
