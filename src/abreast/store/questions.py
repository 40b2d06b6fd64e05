"""What sessions ask a person: written down once, answered once."""

from collections.abc import Sequence

import sqlalchemy as sa

from abreast.errors import NotFoundError
from abreast.model.question import Decision, Question, QuestionKind
from abreast.model.text import one_line
from abreast.store.engine import transaction
from abreast.store.requests import Writing, find
from abreast.store.rows import columns_of
from abreast.store.schema import questions, sessions

_SAID = {
    Decision.ONCE: "allowed once",
    Decision.SESSION: "allowed for this session",
    Decision.DENY: "denied",
    Decision.WITHDRAWN: "no longer asked",
}


class QuestionBook(Writing):
    """The part of the store that writes down questions and answers."""

    def ask(self, session: str, asked: Sequence[Question]) -> list[Question]:
        """Write down what a session asks; return what is new. Known ids are left as they are."""
        with transaction(self.engine) as db:
            row = find(db, sessions, session)
            wanted = [one.id for one in asked]
            known = set(db.scalars(sa.select(questions.c.id).where(questions.c.id.in_(wanted))))
            new = [one for one in asked if one.id not in known]
            for one in new:
                values = columns_of(vars(one))
                values["session_id"] = values.pop("session")
                db.execute(sa.insert(questions).values(values))
                self._append(db, row.run_id, session, "asked", _told(one))
            return new

    def answer(self, question: str, decision: Decision, answer: str = "") -> bool:
        """Write down what became of a question; False when it was answered before.

        Raises NotFoundError when there is no such question.
        """
        with transaction(self.engine) as db:
            session = question.partition("#")[0]
            row = find(db, sessions, session)
            found = db.execute(sa.select(questions).where(questions.c.id == question)).first()
            if found is None:
                raise NotFoundError(f"there is no question {question}")
            if found.answered is not None:
                return False
            values = {
                "answered": self._clock().wall,
                "decision": decision.value,
                "answer": answer,
                "live": False,
            }
            db.execute(sa.update(questions).where(questions.c.id == question).values(values))
            said = _SAID.get(decision, "")
            text = ": ".join(part for part in (said, answer) if part)
            self._append(db, row.run_id, session, "answered", text)
            return True

    def hang_up(self, session: str) -> None:
        """Write down that no CLI waits for answers of this session any more."""
        live = questions.c.live & (questions.c.session_id == session)
        with transaction(self.engine) as db:
            db.execute(sa.update(questions).where(live).values(live=False))


def _told(question: Question) -> str:
    if question.kind is QuestionKind.PERMISSION:
        return f"may it use {question.tool}: {question.about}"
    choices = " / ".join(one.label for one in question.choices)
    return f"{one_line(question.text)} ({choices})" if choices else question.text
