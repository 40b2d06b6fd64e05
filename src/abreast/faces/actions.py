"""What can be done with a session as it stands, and what each of it will do. Pure."""

from collections.abc import Iterator

from abreast.faces.figures import counted
from abreast.model.action import Action, ActionKind
from abreast.model.session import LandState, Run, Session, SessionKind, SessionState
from abreast.model.snapshot import Row

_LANDS = frozenset({LandState.NONE, LandState.READY, LandState.BOUNCED})
_SETTLED = frozenset({LandState.LANDED, LandState.UNDONE})
_WORDS = '"…"'


def actions_of(
    row: Row, run: Run, *, told: str = "", resumes: bool = False, attaches: bool = True
) -> tuple[Action, ...]:
    """Return what a person can do with a session of this run, the likeliest first.

    Of its agent: `told` says when it hears a message while it works (empty: never), `resumes`
    whether it goes on with a conversation that has ended, `attaches` whether it can be opened in a
    terminal.
    """
    session = row.session
    if row.need is not None and row.need.kind == "unattended":
        return _left(session)
    if not session.state.final:
        return tuple(_at_work(row, told))
    return tuple(_ended(row, run, resumes=resumes, attaches=attaches))


def _left(session: Session) -> tuple[Action, ...]:
    """Return what can be done with a session that nobody works on."""
    on = "starts a worker, which goes on with the run"
    return (
        Action(ActionKind.RESUME, session.id, on, f"abreast resume {session.run}"),
        _stop(session),
    )


def _at_work(row: Row, told: str) -> Iterator[Action]:
    session = row.session
    if session.kind is SessionKind.OPEN:
        yield _attach(session, "opens its conversation in this terminal")
        yield _stop(session, "closes it; what there is is committed")
        return
    if row.need is not None and row.need.questions:
        yield _answer(session, "tells the agent what you say; it goes on at once")
    if told:
        yield _reply(session, f"it hears that {told}", "tell")
    yield _stop(session)


def _ended(row: Row, run: Run, *, resumes: bool, attaches: bool) -> Iterator[Action]:
    session = row.session
    settled = session.landing in _SETTLED
    done = session.state is SessionState.DONE
    own = session.kind is SessionKind.OPEN
    task = session.kind is SessionKind.TASK
    if row.need is not None and row.need.questions:
        yield _answer(session, "goes on in its conversation, with your answer")
    if _can_land(session, run):
        yield _land(session, run)
    if session.landing is LandState.LANDED and "://" not in session.landed and run.target:
        yield _undo(session, run)
    if resumes and task and not settled and session.started is not None:
        leaves = "leaves the landing queue and " if session.landing is LandState.QUEUED else ""
        said = f"{leaves}goes on in its conversation, with your words"
        yield _reply(session, said, "resume", "-m ")
    if not done and not own:
        how = "in its conversation" if resumes and session.cli_session else "in its worktree"
        said = f"goes on {how}, its limits counted anew" if session.started else "starts it"
        yield Action(ActionKind.RESUME, session.id, said, f"abreast resume {session.id}")
    if not own and session.landing is not LandState.LANDED:
        start = run.target if task and run.target else "where it started"
        said = f"does it afresh, from {start}; what this attempt did is kept"
        yield Action(ActionKind.RETRY, session.id, said, f"abreast retry {session.id}")
    if attaches and _can_attach(session, resumes=resumes):
        what = "its conversation" if resumes else "a shell in its worktree"
        yield _attach(session, f"opens {what} in this terminal")


def _can_land(session: Session, run: Run) -> bool:
    fits = session.state is SessionState.DONE and bool(session.commit) and bool(run.target)
    return fits and run.state.final and session.landing in _LANDS


def _can_attach(session: Session, *, resumes: bool) -> bool:
    if session.kind is SessionKind.OPEN:
        return True
    if session.kind is SessionKind.CHILD and not session.worktree:
        return False  # it only reads
    return bool(session.branch) and (bool(session.cli_session) or not resumes)


def _answer(session: Session, does: str) -> Action:
    command = f"abreast answer {session.id} {_WORDS}"
    return Action(ActionKind.ANSWER, session.id, does, command, needs_words=True)


def _reply(session: Session, does: str, verb: str, option: str = "") -> Action:
    command = f"abreast {verb} {session.id} {option}{_WORDS}"
    return Action(ActionKind.REPLY, session.id, does, command, needs_words=True)


def _stop(session: Session, does: str = "") -> Action:
    begun = "ends its processes; what it has done so far is kept, and it can go on later"
    said = does or (begun if session.started is not None else "it does not start")
    return Action(ActionKind.STOP, session.id, said, f"abreast stop {session.id}")


def _land(session: Session, run: Run) -> Action:
    size = counted(len(session.files), "file")
    if session.added is not None and session.deleted is not None:
        size = f"{size}, +{session.added} -{session.deleted}"
    said = (
        f"merges {session.commit[:7]} ({size}) with {run.target} as it is now, runs its verify"
        f" command on that, and moves {run.target} if it passes"
    )
    return Action(ActionKind.LAND, session.id, said, f"abreast land {session.id}")


def _undo(session: Session, run: Run) -> Action:
    said = (
        f"starts a run that reverts {session.landed[:7]} on {run.target}; it is verified and lands"
        " like any other"
    )
    return Action(ActionKind.UNDO, session.id, said, f"abreast land --undo {session.id}")


def _attach(session: Session, does: str) -> Action:
    return Action(ActionKind.ATTACH, session.id, does, f"abreast attach {session.id}")
