"""How a session ends: from what a job's result says to a final state with a reason and a hint."""

import re
from dataclasses import dataclass

from abreast.model.cause import Cause
from abreast.model.events import Outcome
from abreast.model.question import Decision, Question, QuestionKind
from abreast.model.session import SessionKind, SessionState
from abreast.model.text import one_line
from abreast.runner.job import SHORT, UNANSWERED, Halt, Result
from abreast.runner.supervise import STOPPED_BY_USER


@dataclass(frozen=True)
class Ending:
    """A final state. `cause` decides whether more sessions of this agent may start.

    `hint` may say RUN and SESSION: see `with_names`. `again` is the attempt that follows this one
    at once, 0 when none does. One that is `parked` is to follow once its agent may go on.
    """

    state: SessionState
    reason: str = ""
    hint: str = ""
    cause: Cause = Cause.NONE
    again: int = 0
    parked: bool = False


_NAME = re.compile(r"\b(?:RUN|SESSION)\b")


def with_names(hint: str, session: str, kind: SessionKind = SessionKind.TASK) -> str:
    """Return a hint with the session's own names where it says RUN and SESSION."""
    if kind is SessionKind.OPEN:  # only its person goes on with it
        hint = hint.replace("abreast resume RUN", "abreast attach SESSION")
    names = {"RUN": session.partition("/")[0], "SESSION": session}
    return _NAME.sub(lambda found: names[found[0]], hint)


ANSWER = "answer it: abreast answer SESSION"


def asking(asked: Question) -> Ending:
    """Return the ending of a session that waits for a person's answer."""
    if asked.kind is QuestionKind.PERMISSION:
        about = one_line(f"{asked.tool} {asked.about}".strip())
        return Ending(SessionState.BLOCKED, f"it may not, and asks: {about}", ANSWER)
    return Ending(SessionState.BLOCKED, f"it asks: {one_line(asked.text)}", ANSWER)


def halted(halt: Halt) -> Ending:
    """Return the ending of an attempt that abreast itself has stopped."""
    return Ending(SessionState.STOPPED, f"stopped by {halt.reason}", halt.hint, Cause.LIMIT)


STOPPED = Ending(
    SessionState.STOPPED, "stopped by you", "abreast resume RUN goes on with it", Cause.USER
)

_AGAIN = {
    Cause.TRANSIENT: "later: abreast resume RUN goes on with it",
    Cause.SESSION_LIMIT: "once the limit has reset: abreast resume RUN goes on with it",
}
_STATES = {
    Outcome.FAILED: SessionState.FAILED,
    Outcome.BLOCKED: SessionState.BLOCKED,
    Outcome.STOPPED: SessionState.STOPPED,
    Outcome.UNKNOWN: SessionState.UNKNOWN,
}


def ending_of_agent(result: Result) -> Ending | None:
    """Return how an agent's result ends its session, or None when it may go on to be checked."""
    if ending := _stopped(result):
        return ending
    verdict = result.verdict
    if verdict.outcome is Outcome.OK and result.skipped and not verdict.final_message:
        return Ending(
            SessionState.UNKNOWN, f"{result.skipped} lines of its stream could not be read"
        )
    if verdict.outcome is Outcome.OK:
        return None
    reason = verdict.reason or "it gave no reason"
    hint = verdict.hint or _AGAIN.get(verdict.cause, "what it did: abreast logs SESSION")
    return Ending(_STATES[verdict.outcome], reason, hint, verdict.cause)


def ending_of_command(result: Result, name: str, log: str) -> Ending | None:
    """Return how a setup or verify command ends its session, or None when it passed."""
    if ending := _stopped(result, name):
        return ending
    verdict = result.verdict
    if verdict.outcome is Outcome.OK:
        return None
    state = _STATES[verdict.outcome]
    return Ending(state, f"{name} failed: {verdict.reason}", f"its output: {log}")


def _stopped(result: Result, name: str = "") -> Ending | None:
    if result.stopped_by == STOPPED_BY_USER:
        return STOPPED
    if result.stopped_by == SHORT:
        who = f"{name} was " if name else ""
        hint = "abreast resume RUN goes on with it"
        return Ending(SessionState.STOPPED, f"{who}stopped by {SHORT}", hint, Cause.MEMORY)
    open_ones = [one for one in result.progress.asked if one.decision is Decision.NONE]
    if result.stopped_by.startswith(UNANSWERED) and open_ones:
        return asking(open_ones[0])
    if result.stopped_by:
        who = f"{name} was " if name else ""
        return Ending(
            SessionState.STOPPED,
            f"{who}stopped by {result.stopped_by}",
            "abreast resume RUN goes on with it, its limits counted anew",
            Cause.LIMIT,
        )
    return None
