"""What faces say of a session in a few words: its name, what it does, what it used. Pure."""

from collections import Counter
from collections.abc import Iterable

from abreast.faces import figures
from abreast.faces.states import EXPLAINED
from abreast.model.session import LandState, Session, SessionKind, SessionState
from abreast.model.snapshot import Group, Row
from abreast.model.usage import Usage

_ASK = {"question": "asks: "}  # before what is asked, by the kind of the need
_QUESTION = 36  # characters shown of what a child was asked


def name_of(session: Session) -> str:
    """Return what a session is called in a table: its task, and what a child was asked."""
    if session.kind is not SessionKind.CHILD:
        return session.task
    question = figures.one_line(session.produces)
    short = question if len(question) <= _QUESTION else f"{question[: _QUESTION - 1]}…"
    return f"{session.task} {short}"


def doing(row: Row) -> str:
    """Return in a few words what a session is doing, waits for, or ended with."""
    session, need = row.session, row.need
    if need is not None and session.landing is LandState.NONE:
        return f"{_ASK.get(need.kind, '')}{figures.one_line(need.asked)}"
    if row.group is Group.WAITING and not session.repairing:
        return row.waits
    return _doing(session)


def _doing(session: Session) -> str:
    if session.landing is not LandState.NONE:
        return f"{landing_word(session)} {landed_as(session)}".strip()
    if session.repairing and session.state in {SessionState.QUEUED, SessionState.PREPARING}:
        return f"repairing {session.repairing}: {figures.one_line(session.reason)}"
    if session.state is SessionState.DONE:
        return f"commit {session.commit[:7]}" if session.commit else "nothing to commit"
    if session.state.final:
        return figures.one_line(session.reason)
    began = {
        SessionState.PREPARING: "making its worktree",
        SessionState.SETUP: "running its setup command",
        SessionState.VERIFYING: "running its verify command",
        SessionState.COMMITTING: "making its commit",
    }
    at_work = figures.one_line(session.last_action) or _starting(session.agent)
    return began.get(session.state, at_work)


def _starting(agent: str) -> str:
    """Return what is shown of an agent that has said nothing yet; a command says nothing at all."""
    return "running its command" if agent == "command" else f"starting {figures.one_line(agent)}…"


def landing_word(session: Session) -> str:
    """Return the state of a landing so that it is not taken for that of the session."""
    words = {LandState.QUEUED: "waits to land", LandState.NONE: "no longer waits to land"}
    return words.get(session.landing, session.landing)


def landed_as(session: Session) -> str:
    """Return the short commit or the address that a session has landed as, or why it has not."""
    if session.landing in EXPLAINED:
        return figures.one_line(session.reason)
    return session.landed if "://" in session.landed else session.landed[:7]


def files(session: Session) -> str:
    """Return how many files a session has touched, with lines where they are known: `2 +14 -3`."""
    if session.started is None:
        return figures.UNKNOWN
    many = str(len(session.files))
    if not session.files or session.added is None or session.deleted is None:
        return many
    return f"{many} +{session.added} -{session.deleted}"


def tokens(usage: Usage) -> str:
    """Return tokens in and out as `12k/1.2k`."""
    if usage.input_tokens is None and usage.output_tokens is None:
        return figures.UNKNOWN
    return f"{figures.count(usage.input_tokens)}/{figures.count(usage.output_tokens)}"


def spent(sessions: Iterable[Session]) -> str:
    """Return what the sessions used together; "at least" where some did not say."""
    started = [session for session in sessions if session.started is not None]
    total = sum((session.usage for session in started), Usage())
    parts = []
    if total.input_tokens is not None or total.output_tokens is not None:
        parts.append(
            f"{figures.count(total.input_tokens)} tokens in, "
            f"{figures.count(total.output_tokens)} out"
        )
    if total.cost_usd is not None:
        partial = any(session.usage.cost_usd is None for session in started)
        parts.append(f"{'at least ' if partial else ''}{figures.money(total.cost_usd)}")
    return ", ".join(parts)


def tally(sessions: Iterable[Session]) -> str:
    """Return how many sessions are in which state: `2 done, 1 running`."""
    counts = Counter(session.state for session in sessions)
    ended_first = sorted(
        counts, key=lambda state: (not state.final, list(SessionState).index(state))
    )
    return ", ".join(f"{counts[state]} {state}" for state in ended_first)
