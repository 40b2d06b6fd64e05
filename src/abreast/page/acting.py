"""What a person does by the page: it is shown what it will do, and done once they have said so."""

from abreast import api
from abreast.errors import NotFoundError
from abreast.model.action import Action
from abreast.model.question import Decision
from abreast.page.views.session import row_of
from abreast.places import Places

_WORDS = 50_000  # characters


def offered(session: str, kind: str, places: Places) -> Action:
    """Return the action of this kind; raises NotFoundError when the session has moved on."""
    found = row_of(api.snapshot(session.partition("/")[0], places=places), session)
    for one in api.actions(*found) if found else ():
        if one.kind == kind:
            return one
    raise NotFoundError(
        f"{session} has moved on: there is nothing to {kind} any more",
        hint="its page shows what can be done now",
    )


def answer(question: str, decision: str, choices: list[int], words: str, places: Places) -> None:
    """Answer a question of a session; its page shows what comes of it."""
    said = Decision(decision or Decision.ANSWER)
    api.answer(question, words[:_WORDS], choices=choices, decision=said, places=places)
