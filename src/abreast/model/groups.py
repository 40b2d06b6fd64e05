"""Which group of the snapshot a session is in, and what it needs a person for. Pure."""

from collections.abc import Iterable, Mapping, Sequence

from abreast.model.moment import Moment
from abreast.model.question import Question, QuestionKind
from abreast.model.session import (
    Attendance,
    LandMode,
    LandState,
    Run,
    Session,
    SessionKind,
    SessionState,
)
from abreast.model.snapshot import Group, Need, NeedAnswer, NeedKind, Row, Snapshot, Watched

_ASKS = "it asks: "
_NOT_STARTED = "not started: "  # its agent's line was stopped before it
_BY_YOU = "stopped by you"


def snapshot_of(runs: Sequence[Watched], asked: Iterable[Question], stamp: int) -> Snapshot:
    """Return the snapshot of these runs, newest first.

    `asked` are the questions that wait for a person, the oldest first. `stamp` is a number that is
    equal where all that was read of them in the database is.
    """
    # Who is at work is in no row of the database.
    odd = (one for one in runs if one.presence.who in {Attendance.AGENT, Attendance.NOBODY})
    marks = [f"{one.run.id}:{one.presence.who}" for one in odd]
    revision = "-".join([f"{stamp % 2**64:016x}", *marks])
    questions: dict[str, tuple[Question, ...]] = {}
    for one in asked:
        questions[one.session] = (*questions.get(one.session, ()), one)
    rows = (row for one in runs for row in rows_of(one, questions))
    return Snapshot(revision, tuple(in_order(rows)), tuple(runs))


def rows_of(watched: Watched, questions: Mapping[str, tuple[Question, ...]]) -> list[Row]:
    """Return the rows of a run, in its plan's order; `questions` wait, by their sessions."""
    run = watched.run
    left = watched.presence.who is Attendance.NOBODY
    rows = []
    for session in run.sessions:
        need = need_of(session, run, questions.get(session.id, ()), unattended=left)
        if need and need.kind is NeedKind.UNATTENDED:
            left = False  # one command goes on with the whole run: it is asked for once
        group = Group.NEEDS_YOU if need else group_of(session, run)
        waits = waits_for(session, run) if group is Group.WAITING else ""
        since = _since(session, run)
        rows.append(Row(session, run.repo, run.target or run.base, group, since, need, waits))
    return rows


def in_order(rows: Iterable[Row]) -> list[Row]:
    """Return rows by their groups; what needs a person by how long it has, the others as given."""
    places = {group: at for at, group in enumerate(Group)}

    def rank(row: Row) -> tuple[int, float]:
        return places[row.group], (row.need.since or 0.0) if row.need else 0.0

    return sorted(rows, key=rank)


def group_of(session: Session, run: Run) -> Group:
    """Return the group of a session that needs nobody."""
    if session.state is SessionState.QUEUED:
        return Group.WAITING
    if not session.state.final:
        return Group.WORKING
    if session.state is not SessionState.DONE:
        return Group.FAILED
    waits = session.landing is LandState.QUEUED
    will = run.land.at_once and session.lands and not run.state.final
    return Group.TO_LAND if waits or will else Group.DONE


def waits_for(session: Session, run: Run) -> str:
    """Return what a queued session waits for: tasks by name, or a place."""
    ended = {one.task for one in run.sessions if one.state.final}
    tasks = [name for name in session.waits_for if name not in ended]
    return f"after {', '.join(tasks)}" if tasks else "for a place"


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
        return None if session.reason.startswith(_BY_YOU) else NeedKind.LIMIT
    if session.state is not SessionState.BLOCKED:
        return None
    if session.reason.startswith(_ASKS):
        return NeedKind.QUESTION
    return NeedKind.QUOTA if session.reason.startswith(_NOT_STARTED) else NeedKind.PERMISSION


def _ways_on(session: Session, kind: NeedKind) -> tuple[NeedAnswer, ...]:
    goes_on = "goes on in its conversation"
    attach = NeedAnswer(f"abreast attach {session.id}", "opens its conversation in this terminal")
    if kind is NeedKind.QUESTION:
        answer = NeedAnswer(f'abreast resume {session.id} -m "…"', f"{goes_on}, with your answer")
        return answer, attach
    if kind is NeedKind.QUOTA:
        return (
            NeedAnswer(f"abreast resume {session.run}", "goes on with all that was not started"),
        )
    if kind is NeedKind.LIMIT:
        own = session.kind is SessionKind.OPEN
        on = session.goes_on_by if own else f"abreast resume {session.id}"
        return (NeedAnswer(on, f"{goes_on}, its limits counted anew"),)
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
    asked = f"nobody works on run {session.run}: its worker has died"
    return Need(NeedKind.UNATTENDED, asked, session.started, (on,))


def _since(session: Session, run: Run) -> Moment:
    return session.over or session.began or run.began
