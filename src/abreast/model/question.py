"""Questions: what a session waits to hear from a person, and what the person has said."""

from dataclasses import dataclass
from enum import StrEnum


class QuestionKind(StrEnum):
    QUESTION = "question"  # the agent asks something
    PERMISSION = "permission"  # it wants to make a call that it is not allowed


class Decision(StrEnum):
    """What became of a question."""

    NONE = ""  # nobody has answered yet
    ANSWER = "answer"  # a person has answered in words, or by a choice
    ONCE = "once"  # this call is allowed
    SESSION = "session"  # such calls are allowed for the rest of the session
    DENY = "deny"
    WITHDRAWN = "withdrawn"  # the agent no longer asks


@dataclass(frozen=True)
class AnswerChoice:
    """One of the answers that an agent offers."""

    label: str
    description: str = ""


@dataclass(frozen=True)
class Question:
    """What a session asks a person. `id` is `<session>#<attempt>.<number>`.

    Times are Unix seconds. `text` is as the agent asked it. Of a permission, `about` is the path
    or command that is to be allowed, literally and in full, and `tool` the CLI's name for what
    would use it. While `live` the CLI waits for the answer. Questions of one `call` are answered
    together: the CLI hears none of the answers before it has all.
    """

    id: str
    session: str
    attempt: int
    kind: QuestionKind
    text: str
    asked: float  # 0 while it is on its way from the stream
    choices: tuple[AnswerChoice, ...] = ()
    several: bool = False  # more than one of the choices may be taken
    tool: str = ""
    about: str = ""
    call: str = ""
    live: bool = False
    answered: float | None = None
    decision: Decision = Decision.NONE
    answer: str = ""

    @classmethod
    def of_call(cls, tool: str, about: str, text: str) -> "Question":
        """Return the question that a denied call amounts to, which its session may be allowed."""
        choices = (AnswerChoice(Decision.SESSION), AnswerChoice(Decision.DENY))
        kind = QuestionKind.PERMISSION
        return cls("", "", 0, kind, text, 0.0, choices=choices, tool=tool, about=about)

    @property
    def offered(self) -> tuple[Decision, ...]:
        """What a person can decide about a permission now; once, only while its CLI waits."""
        labels = {choice.label for choice in self.choices}
        known = (Decision.ONCE, Decision.SESSION, Decision.DENY)
        return tuple(d for d in known if d in labels and (self.live or d is not Decision.ONCE))
