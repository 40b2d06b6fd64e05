"""What a session needs a person for, and the commands that answer it.

Apart from the snapshot, so that `abreast status` imports it only where something needs a person.
"""

from dataclasses import dataclass
from enum import StrEnum

from abreast.model.question import Question


class NeedKind(StrEnum):
    """Why a session waits for a person."""

    QUESTION = "question"  # its agent has asked something
    PERMISSION = "permission"  # its agent was denied a tool, or has changed what it may not
    REVIEW = "review"  # its commit lands once a person has looked at it
    BOUNCE = "bounce"  # it does not land as it is, and no agent will repair it
    CHECKOUT = "checkout"  # it is merged and tested; the target's checkout cannot come along
    LEFT = "left"  # the landing has stopped before its turn
    LIMIT = "limit"  # one of its limits is reached
    QUOTA = "quota"  # its agent is not logged in, has no credit, or a quota is used up
    UNATTENDED = "unattended"  # its worker was killed: nobody works on its run


@dataclass(frozen=True, repr=False)
class NeedAnswer:
    """A command that answers a need, whole and ready to be typed, and what it does."""

    command: str
    does: str


@dataclass(frozen=True, repr=False)
class Need:
    """What a session needs a person for.

    `asked` says what it is about. `since` is when it began to wait, in Unix seconds; None where
    that is not known. The first of `answers` is what saying yes does. `questions` are those of its
    agent that nobody has answered, the oldest first.
    """

    kind: NeedKind
    asked: str
    since: float | None
    answers: tuple[NeedAnswer, ...]
    questions: tuple[Question, ...] = ()
