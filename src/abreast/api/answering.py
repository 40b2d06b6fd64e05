"""What sessions ask a person, and the person's answers."""

from collections.abc import Sequence

from abreast.api.looking import find_session, reader_of
from abreast.engine.client import answering
from abreast.engine.client.answering import AnswerResult
from abreast.errors import StateError
from abreast.model.question import Decision, Question, QuestionKind
from abreast.places import Places, find_places


def questions(*, places: Places | None = None) -> list[Question]:
    """Return all that waits for a person's answer, the oldest first."""
    return reader_of(places).waiting()


def answer(
    name: str,
    text: str = "",
    *,
    choices: Sequence[int] = (),
    decision: Decision = Decision.ANSWER,
    places: Places | None = None,
) -> AnswerResult:
    """Answer the session of this name, or the one of its questions that `SESSION#1.2` names.

    The answer is `text`, or those of the `choices` by their numbers, from 1; with another
    `decision`, a call is allowed or denied, and `text` says why. A session whose CLI waits goes on
    with it at once, one that has ended is resumed with it. Raises NotFoundError for what waits for
    no answer, StateError for what is no answer to it.
    """
    where = places or find_places()
    session_name, _, number = name.partition("#")
    session = find_session(session_name, places=where)
    question = answering.find_question(session, number, where)
    if choices:
        text = _chosen(question, choices)
    return answering.answer(question, session, decision, text, where)


def _chosen(question: Question, choices: Sequence[int]) -> str:
    there = question.choices if question.kind is QuestionKind.QUESTION else ()
    if len(choices) > 1 and not question.several:
        raise StateError(f"{question.id} takes one choice", hint="give one --choice")
    if not all(0 < number <= len(there) for number in choices):
        what = f"choices from 1 to {len(there)}" if there else "no choices"
        hint = f"abreast answer {question.id} shows it"
        raise StateError(f"{question.id} has {what}", hint=hint)
    return ", ".join(there[number - 1].label for number in choices)
