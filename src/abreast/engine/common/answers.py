"""Answers in words, for an agent that goes on with them in its next turn."""

from collections.abc import Iterable

from abreast.model.question import Decision, Question, QuestionKind
from abreast.runner.job import Result


def unheard(
    questions: Iterable[Question], session: str, attempt: int, result: Result | None
) -> list[Question]:
    """Return the answers to what a session has asked in an attempt that its CLI was not given."""
    asked = result.progress.asked if result else ()
    heard = {f"{session}#{attempt}.{one.id}" for one in asked if one.decision != Decision.NONE}
    return [
        one
        for one in questions
        if one.attempt == attempt
        and one.id not in heard
        and one.decision not in {Decision.NONE, Decision.WITHDRAWN}
    ]


def told(answered: Iterable[Question]) -> str:
    """Return what an agent is told of the answers to what it has asked."""
    return "\n\n".join(map(_told, answered))


def _told(one: Question) -> str:
    said = f" {one.answer}" if one.answer else ""
    if one.decision is Decision.SESSION:
        return f"You may now do this, for the rest of this session: {_call(one)}{said}"
    if one.decision is Decision.ONCE:
        return (
            f"This call was allowed once, when you had ended; ask again for it: {_call(one)}{said}"
        )
    if one.kind is QuestionKind.PERMISSION and one.decision is Decision.DENY:
        return f"You may not do this; finish the task without it: {_call(one)}{said}"
    if one.kind is QuestionKind.PERMISSION:
        return f"About this call, which was refused: {_call(one)}\nThe answer is:{said}"
    if one.decision is Decision.DENY:
        return f"You asked: {one.text}\nNobody wants to answer that; decide yourself.{said}"
    return f"You asked: {one.text}\nThe answer is:{said}"


def _call(one: Question) -> str:
    return f"{one.tool} {one.about}".strip()
