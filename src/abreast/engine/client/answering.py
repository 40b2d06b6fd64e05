"""Answers of a person: to a session that waits for one, or to one that ended with its question.

An answer to a CLI that waits lies in the folder of its job before it is on record: there its runner
takes it, with or without us and the worker. The first answer counts.
"""

import time
from dataclasses import dataclass, replace
from pathlib import Path

from abreast.engine.client.requests import connect
from abreast.engine.client.telling import require_person, require_resumable, resume_with
from abreast.engine.client.watching import require_run
from abreast.engine.common.answers import told, unheard
from abreast.engine.common.attendance import is_lost
from abreast.engine.common.layout import layout_of
from abreast.errors import NotFoundError, StateError
from abreast.model.question import Decision, Question, QuestionKind
from abreast.model.session import Session, SessionState
from abreast.places import Places
from abreast.process import clock
from abreast.process.patience import pause
from abreast.runner.answers import Answered, find_answer, put_answer
from abreast.runner.job import load_result
from abreast.store.reader import Reader

_LONGEST = 0.25  # seconds between looks
_ENDS = 60.0  # seconds in which a session ends whose CLI waits no longer


@dataclass(frozen=True)
class AnswerResult:
    """What an answer has come to. `resumed`: the session had ended with it, and goes on.

    `left` counts the other questions that the agent has asked together with this one, or that its
    session still waits for: it goes on when they are answered, too. `lost`: nobody works on it any
    more, after a restart of the machine, say; it hears the answer once it is resumed.
    """

    question: Question
    resumed: bool = False
    left: int = 0
    lost: bool = False

    def in_words(self) -> str:
        """Return in a sentence what it has come to."""
        session = self.question.session
        run = session.partition("/")[0]
        if self.lost:
            on = f"abreast resume {run}"
            return f"nobody works on {session}: it hears that once it goes on: {on}"
        if self.left:
            more = f"{self.left} more are" if self.left > 1 else "one more is"
            return f"{session} goes on once {more} answered: abreast answer {session}"
        if self.resumed:
            return f"{session} is resumed with it; abreast watch {run} follows"
        return f"{session} goes on with it"


def find_question(session: Session, number: str, places: Places) -> Question:
    """Return the question of a session that waits longest, or the one called `number`.

    Raises NotFoundError when it waits for no answer, or not for one to that.
    """
    waiting = [one for one in Reader(places.database).waiting() if one.session == session.id]
    found = [one for one in waiting if number in {"", one.id.partition("#")[2]}]
    if not found:
        what = f"{session.id} does not ask {number}" if number else f"{session.id} asks nothing"
        hint = "`abreast answer` shows all that waits for an answer"
        if not waiting and session.state is SessionState.BLOCKED and _unheard(session, places):
            # Whoever gave the last answer was killed before they could resume it.
            hint = f"it has not heard its answers: {session.goes_on_by} brings them"
        raise NotFoundError(what, hint=hint)
    return found[0]


def answer(
    question: Question, session: Session, decision: Decision, text: str, places: Places
) -> AnswerResult:
    """Give a question its answer.

    Raises StateError when that is no answer to it, when it has been answered before, when the
    session cannot go on, and where a session, not a person, wants to answer.
    """
    require_person("answers", f"abreast answer {question.id}, at a terminal of your own")
    _require_fit(question, decision, text)
    answered = replace(question, decision=decision, answer=text)
    if question.live and _put(answered, session, places):
        with connect(places) as client:
            client.store.answer(question.id, decision, text)
        left = [one for one in _others(question, places) if one.call == question.call]
        return AnswerResult(answered, left=len(left), lost=is_lost(session, places))
    if question.live:
        session = _ended(session, places)
        _require_fit(replace(question, live=False), decision, text)
    require_resumable(session)
    with connect(places) as client:
        if not client.store.answer(question.id, decision, text):
            raise _answered_before(question)
    if left := _others(question, places):
        return AnswerResult(answered, left=len(left))
    resume_with(session, told(_unheard(session, places)), places)
    return AnswerResult(answered, resumed=True)


def _require_fit(question: Question, decision: Decision, text: str) -> None:
    hint = f"abreast answer {question.id} --deny"
    if decision is Decision.ANSWER and not text.strip():
        raise StateError("the answer is empty", hint=f'abreast answer {question.id} "…"')
    if decision not in {Decision.ONCE, Decision.SESSION}:
        return
    if question.kind is not QuestionKind.PERMISSION:
        raise StateError(
            f"{question.id} asks for no permission", hint=f'abreast answer {question.id} "…"'
        )
    if decision not in question.offered:
        what = "once: its agent does not wait" if decision is Decision.ONCE else "for the session"
        raise StateError(f"{question.id} cannot be allowed {what}", hint=hint)


def _put(answered: Question, session: Session, places: Places) -> bool:
    """Put an answer on its way to a job that waits; False when that waits no longer."""
    job = _job(session, places)
    number = answered.id.rpartition(".")[2]
    if put_answer(job, number, Answered(answered.decision, answered.answer)):
        return True
    before = find_answer(job, number)
    if before is not None and before.decision is Decision.NONE:
        return False
    raise _answered_before(answered)


def _answered_before(question: Question) -> StateError:
    hint = f"abreast logs {question.session} tells the answer"
    return StateError(f"{question.id} has been answered before", hint=hint)


def _job(session: Session, places: Places) -> Path:
    run = require_run(Reader(places.database), session.run)
    return layout_of(session, places, Path(run.common_dir)).job("agent")


def _others(question: Question, places: Places) -> list[Question]:
    waiting = Reader(places.database).waiting()
    return [o for o in waiting if o.session == question.session and o.id != question.id]


def _ended(session: Session, places: Places) -> Session:
    """Wait until a session has ended that nobody has answered in time."""
    reader, began = Reader(places.database), clock.awake()
    while (waited := clock.awake() - began) < _ENDS:
        found = reader.session(session.id)
        if found is None or found.attempt != session.attempt or found.state.final:
            break
        time.sleep(pause(waited, _LONGEST))
    found = reader.session(session.id) or session
    if found.state is not SessionState.BLOCKED or found.attempt != session.attempt:
        raise StateError(
            f"{session.id} no longer waits for an answer: it is {found.state}",
            hint=f'abreast tell {session.id} "…"',
        )
    return found


def _unheard(session: Session, places: Places) -> list[Question]:
    asked = Reader(places.database).questions(session.id)
    return unheard(asked, session.id, session.attempt, load_result(_job(session, places)))
