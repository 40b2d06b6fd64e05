"""What is told below a table of sessions: what went wrong, conflicts, what to look at."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from rich.text import Text

from abreast.faces import figures
from abreast.faces.rows import name_of
from abreast.faces.states import EXPLAINED, LAND_STYLES, SESSION_STYLES
from abreast.model.conflicts import WorkConflict, told_files
from abreast.model.session import LandState, Session, SessionState
from abreast.model.snapshot import Row
from abreast.model.text import named

_FILES = 3  # in conflict that are named on a line; `abreast logs` has them all
_RUN = re.compile(r"\bRUN\b")  # how a hint of an earlier version calls the session's own


def notices(sessions: Sequence[Session], asked: Sequence[Text] = ()) -> Iterator[list[Text]]:
    """Yield what there is to tell of sessions, each kind of it by itself; first what is `asked`."""
    proposals = [
        Text(f"{s.task}: {s.landed}", overflow="fold")
        for s in sessions
        if s.landing is LandState.PROPOSED and s.landed
    ]
    blocks = (
        list(asked),
        [text for one in sessions if _is_trouble(one) for text in _trouble(one)],
        conflict_lines(sessions),
        [_drift(session) for session in sessions if session.outside],
        [_dropped(session) for session in sessions if session.dropped],
        proposals,
    )
    yield from filter(None, blocks)


def asking(rows: Iterable[Row]) -> list[Text]:
    """Return what agents ask while they are at work, each with the command that answers it."""
    lines = []
    for row in rows:
        if row.need and row.need.questions and not row.session.state.final:
            text = Text(f"{name_of(row.session)} ", overflow="fold")
            word = "asks" if row.need.kind == "question" else "asks for permission"
            lines.append(
                text.append(word, "yellow").append(f": {figures.harmless(row.need.asked).strip()}")
            )
            hint = f"  hint: {row.need.answers[0].command}"
            lines.append(Text(hint, no_wrap=True, overflow="ignore"))
    return lines


def _drift(session: Session) -> Text:
    """Say what a session has written outside the paths that its task declares."""
    said = f": wrote outside its declared paths: {named(session.outside)}"
    return Text(session.task, overflow="fold").append(said, "yellow")


_OVER = {LandState.LANDED, LandState.UNDONE}


def conflict_lines(sessions: Sequence[Session]) -> list[Text]:
    """Return what sessions of a run conflict with, a line for each pair."""
    names = {session.id: session.task for session in sessions}
    return [_conflict(names, session, one) for session, one in conflicts_of(sessions)]


def conflicts_of(sessions: Iterable[Session]) -> list[tuple[Session, WorkConflict]]:
    """Return the conflicts of sessions that have not landed; of two of them it is there once."""
    pairs: dict[tuple[frozenset[str], bool], tuple[Session, WorkConflict]] = {}
    for session in sessions:
        for one in session.conflicts if session.landing not in _OVER else ():
            pair = frozenset((session.id, one.other))
            pairs.setdefault((pair, one.is_target), (session, one))
    return list(pairs.values())


def _conflict(names: Mapping[str, str], session: Session, one: WorkConflict) -> Text:
    other = one.other if one.is_target else names.get(one.other, one.other)
    files = one.files[:_FILES]
    told = "; ".join(told_files(files, one.more + len(one.files) - len(files)))
    line = Text(f"{session.task} ", overflow="fold").append("conflicts", "yellow")
    line.append(f" with {figures.one_line(other)}{', as it is now' if one.is_target else ''}: ")
    return line.append(figures.one_line(told))


def _dropped(session: Session) -> Text:
    """Say that a repair has not kept lines that others have written in the target."""
    lines = figures.counted(len(session.dropped), "line")
    said = f": its repair drops {lines} of the target's; abreast show {session.id}"
    return Text(session.task, overflow="fold").append(said, "yellow")


def _is_trouble(session: Session) -> bool:
    ended_badly = session.state.final and session.state is not SessionState.DONE
    return ended_badly or session.landing in EXPLAINED or _is_left(session)


def _is_left(session: Session) -> bool:
    """Return whether a landing has stopped before it came to this session."""
    done = session.state is SessionState.DONE
    return done and session.landing is LandState.NONE and bool(session.reason)


def _trouble(session: Session) -> Iterator[Text]:
    stuck = session.landing in EXPLAINED
    style = LAND_STYLES[session.landing] if stuck else SESSION_STYLES[session.state]
    text = Text(f"{name_of(session)} ", overflow="fold")
    state: str = session.landing if stuck else session.state
    if _is_left(session):
        state, style = "not landed", "yellow"
    reason = figures.harmless(session.reason).strip() or "no reason is known"
    text.append(state, style)
    # "stopped by you" needs no "stopped:" before it.
    again = reason.startswith(f"{state} ")
    text.append(reason.removeprefix(state) if again else f": {reason}")
    yield text
    if session.advice:
        hint = _RUN.sub(session.run, session.advice)
        # One line, that a command or a path in it can be copied.
        yield Text(f"  hint: {figures.one_line(hint)}", no_wrap=True, overflow="ignore")
