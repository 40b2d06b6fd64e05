"""What a session needs a person for: derived from its state, its run and its questions. Pure."""

from collections.abc import Sequence

from abreast.model.cause import SETTLED, Cause
from abreast.model.need import Need, NeedAnswer, NeedKind
from abreast.model.question import Question, QuestionKind
from abreast.model.session import LandMode, LandState, Run, Session, SessionKind, SessionState

_ASKS = "it asks: "
_NOT_STARTED = "not started: "  # its agent's line was stopped before it
_BY_YOU = "stopped by you"
_OF_DAY = "the day's limit"


def need_of(
    session: Session, run: Run, questions: Sequence[Question] = (), *, unattended: bool = False
) -> Need | None:
    """Return what a session needs a person for, None when for nothing.

    What a child needs goes to its parent, which reads it in the deliverable; only its CLI's own
    questions, which wait, do not.
    """
    if questions:
        return _of_questions(session, tuple(questions))
    if not session.state.final:
        return _unattended(session) if unattended else None
    if session.kind is SessionKind.CHILD:
        return None
    if session.state is SessionState.DONE:
        return _of_landing(session, run)
    kind = _kind_of_end(session)
    if kind is None:
        return None
    asked = session.reason.removeprefix(_ASKS) or "it gave no reason"
    if kind is NeedKind.QUOTA and session.hint:
        asked = f"{asked}: {session.hint.partition('; then:')[0]}"
    return Need(kind, asked, session.ended, _ways_on(session, kind))


def _of_questions(session: Session, questions: tuple[Question, ...]) -> Need:
    first = questions[0]
    permission = first.kind is QuestionKind.PERMISSION
    asked = f"may it use {first.tool}: {first.about}" if permission else first.text
    does = "asks you, and tells the agent what you say"
    ways = (NeedAnswer(f"abreast answer {session.id}", does),)
    return Need(NeedKind(first.kind.value), asked, first.asked, ways, questions)


def _kind_of_end(session: Session) -> NeedKind | None:
    """Return why an attempt that is not done has ended, if that is for a person to settle."""
    if session.state is SessionState.STOPPED:
        return None if _stopped_by_you(session) else NeedKind.LIMIT
    if session.cause in SETTLED:
        return NeedKind.QUOTA
    if session.state is not SessionState.BLOCKED:
        return None
    if session.cause is Cause.LIMIT:  # of the run or of the day, before it started
        return NeedKind.LIMIT
    if session.reason.startswith(_ASKS):
        return NeedKind.QUESTION
    older = session.cause is Cause.NONE and session.reason.startswith(_NOT_STARTED)
    return NeedKind.QUOTA if older else NeedKind.PERMISSION


def _stopped_by_you(session: Session) -> bool:
    """Return whether its user has stopped it; older versions have kept no cause."""
    known = session.cause is not Cause.NONE
    return session.cause is Cause.USER if known else session.reason.startswith(_BY_YOU)


def _ways_on(session: Session, kind: NeedKind) -> tuple[NeedAnswer, ...]:
    goes_on = "goes on in its conversation"
    attach = NeedAnswer(f"abreast attach {session.id}", "opens its conversation in this terminal")
    if kind is NeedKind.QUESTION:
        answer = NeedAnswer(f'abreast resume {session.id} -m "…"', f"{goes_on}, with your answer")
        return answer, attach
    if kind is NeedKind.QUOTA or (session.state is SessionState.BLOCKED and kind is NeedKind.LIMIT):
        return (
            NeedAnswer(f"abreast resume {session.run}", "goes on with all that was not started"),
        )
    if kind is NeedKind.LIMIT:
        own = session.kind is SessionKind.OPEN
        on = session.goes_on_by if own else f"abreast resume {session.id}"
        allowed = (
            "once the day allows it" if _OF_DAY in session.reason else "its limits counted anew"
        )
        return (NeedAnswer(on, f"{goes_on}, {allowed}"),)
    return attach, NeedAnswer(f"abreast retry {session.id}", "does the task afresh")


def _of_landing(session: Session, run: Run) -> Need | None:
    target = run.target or run.base
    land = NeedAnswer(f"abreast land {session.id}", f"merges and tests it, and moves {target}")
    match session.landing:
        case LandState.BOUNCED:
            again = f"does the task afresh, from {target} as it is now"
            anew = NeedAnswer(f"abreast retry {session.id}", again)
            if session.kind is SessionKind.OPEN:
                anew = NeedAnswer(session.goes_on_by, "opens it, to settle that by hand")
            ways = (anew, land)
            return Need(NeedKind.BOUNCE, session.reason, session.ended, ways)
        case LandState.READY:
            return Need(NeedKind.CHECKOUT, session.reason, session.ended, (land,))
        case LandState.NONE if session.commit and run.state.final:
            if run.land is LandMode.REVIEW:
                files = len(session.files)
                asked = f"{files:,} {'file' if files == 1 else 'files'} for your review"
                does = f"shows it; what you approve is merged into {target}"
                look = NeedAnswer(f"abreast land {session.id} --review", does)
                return Need(NeedKind.REVIEW, asked, session.ended, (look,))
            if session.reason and _BY_YOU not in session.reason:
                return Need(NeedKind.LEFT, session.reason, session.ended, (land,))
    return None


def _unattended(session: Session) -> Need:
    on = NeedAnswer(f"abreast resume {session.run}", "starts a worker, which goes on with the run")
    always = NeedAnswer("abreast worker enable", "has runs go on by themselves after a restart")
    asked = f"nobody works on run {session.run}: its worker has died"
    return Need(NeedKind.UNATTENDED, asked, session.started, (on, always))
