"""The actions of the board's keys: which session, what will happen, and the call."""

from collections.abc import Callable
from dataclasses import dataclass

from abreast import api
from abreast.board.peek_text import choices_of
from abreast.errors import StateError
from abreast.faces import figures
from abreast.model.action import Action, ActionKind
from abreast.model.question import Decision, Question, QuestionKind
from abreast.model.snapshot import Row, Watched
from abreast.places import Places

_WHY_NOT = {
    ActionKind.LAND: "has nothing that can land",
    ActionKind.RESUME: "has nothing to resume",
    ActionKind.RETRY: "cannot be run again",
    ActionKind.STOP: "does not run",
    ActionKind.UNDO: "has landed nothing that can be taken back",
    ActionKind.ATTACH: "cannot be opened in a terminal",
}


@dataclass(frozen=True)
class Offer:
    """Something that will be done once it is confirmed. `more` finds out more of what it does."""

    title: str
    does: str
    call: Callable[[], str]
    more: Callable[[], str] | None = None


def action_of(row: Row, watched: Watched, *kinds: ActionKind) -> Action:
    """Return the likeliest action of these kinds. Raises StateError when there is none."""
    for action in api.actions(row, watched):
        if action.kind in kinds:
            return action
    raise StateError(f"{row.id} {_WHY_NOT.get(kinds[0], 'hears no message now')}")


def proposed(row: Row, watched: Watched, places: Places, *kinds: ActionKind) -> Offer:
    """Return the offer for an action of these kinds. Raises StateError when there is none."""
    action = action_of(row, watched, *kinds)
    more = None
    if action.kind is ActionKind.LAND:

        def more() -> str:
            page = api.show(row.id, places=places)
            risks = [f"! {figures.one_line(risk)}" for risk in page.risks]
            return "\n".join([*risks, *([f"landing it: {page.landing}"] if page.landing else [])])

    return Offer(
        f"{action.kind} {row.id}", action.does, lambda: api.act(action, places=places), more
    )


def words_for(row: Row, watched: Watched) -> Action:
    """Return where words to a session go. Raises StateError when it cannot hear any."""
    question = question_of(row)
    if question and question.kind is QuestionKind.PERMISSION:
        return action_of(row, watched, ActionKind.REPLY)
    return action_of(row, watched, ActionKind.ANSWER, ActionKind.REPLY)


def question_of(row: Row) -> Question | None:
    """Return what a session has asked and waits for, the oldest first."""
    return row.need.questions[0] if row.need and row.need.questions else None


def chosen(row: Row, number: int, places: Places) -> Offer:
    """Return the offer that answers a session's question by a choice's number, from 1.

    Raises StateError when there is no such choice.
    """
    question = question_of(row)
    choices = choices_of(question) if question else []
    if question is None or not 0 < number <= len(choices):
        offers = f"offers {len(choices)} choices" if choices else "asks nothing with choices"
        raise StateError(f"{row.id} {offers}")
    label, about = choices[number - 1]
    decision, picked, asked = Decision.ANSWER, [number], question.text
    if question.kind is QuestionKind.PERMISSION:
        decision, picked = question.offered[number - 1], []
        asked = f"{question.tool}: {question.about}"
    does = f"{asked}\n\nYour answer: {label}{f' ({about})' if about else ''}"

    def call() -> str:
        done = api.answer(question.id, choices=picked, decision=decision, places=places)
        if done.lost:
            return f"{row.id} hears it once it is resumed: nobody works on it now"
        if done.left:
            return f"{row.id} has it; {figures.counted(done.left, 'question')} left"
        return f"{row.id} goes on with your answer"

    return Offer(f"answer {row.id}", does, call)
