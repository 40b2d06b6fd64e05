"""What a person can do with a session as it stands, and what will happen."""

from dataclasses import dataclass
from enum import StrEnum


class ActionKind(StrEnum):
    """What is done. A face has one key or button for each."""

    ANSWER = "answer"  # what its agent asks
    REPLY = "reply"  # words to it: while it works, or to go on with
    LAND = "land"
    RESUME = "resume"
    RETRY = "retry"
    STOP = "stop"
    UNDO = "undo"
    ATTACH = "attach"  # it takes the terminal over: only a face in a terminal can do it


@dataclass(frozen=True)
class Action:
    """One thing to do with a session. `does` says what will happen, `command` does the same.

    With `needs_words` the person's own words go along; they stand in the command as `…`.
    """

    kind: ActionKind
    session: str
    does: str
    command: str
    needs_words: bool = False
