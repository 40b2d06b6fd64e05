"""Rows of a snapshot as lines of a table: in groups, with what each is doing or waits for."""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from abreast.cli import figures
from abreast.cli.states import EXPLAINED, GROUP_STYLES
from abreast.model.groups import snapshot_of
from abreast.model.session import Attendance, LandState, Presence, Run, Session, SessionState
from abreast.model.snapshot import Group, Row, Snapshot, Watched

if TYPE_CHECKING:
    from abreast.model.question import Question

_ASK = {"question": "asks: "}  # before what is asked, by the kind of the need
_FIRST = (Group.NEEDS_YOU, Group.WORKING, Group.FAILED, Group.WAITING, Group.TO_LAND, Group.DONE)
"""Which rows are shown where there is no room for all: failures do not hide what is at work."""


def rows_of_run(
    run: Run, who: Attendance = Attendance.NOT_NEEDED, asked: "Iterable[Question]" = ()
) -> Snapshot:
    """Return the snapshot of one run as it is at hand, with the questions that wait."""
    return snapshot_of([Watched(run, Presence(who))], asked, 0)


def liveliest(rows: Sequence[Row]) -> list[Row]:
    """Return rows, the first ones those that are shown where there is no room for all."""
    found: dict[Group, list[Row]] = {group: [] for group in _FIRST}
    for row in rows:
        found[row.group].append(row)
    return [row for group in found.values() for row in group]


def fold(rows: Sequence[Row], room: int) -> tuple[list[Row], list[Row]]:
    """Split rows into those that fit into `room` lines, the liveliest, and the rest; in order."""
    return parted(rows, liveliest(rows)[:room]) if len(rows) > room else (list(rows), [])


def parted(rows: Iterable[Row], chosen: Iterable[Row]) -> tuple[list[Row], list[Row]]:
    """Split rows into those that are chosen and the rest; both keep their order."""
    names = {row.id for row in chosen}
    parts: tuple[list[Row], list[Row]] = [], []
    for row in rows:
        parts[row.id not in names].append(row)
    return parts


def in_groups(rows: Iterable[Row], cells: Callable[[Row], Sequence[Text]]) -> list[Sequence[Text]]:
    """Return the cells of rows, which are in the order of their groups, under group headings."""
    lines: list[Sequence[Text]] = []
    last = None
    for row in rows:
        if row.group is not last:
            last = row.group
            lines.append((Text(last.value.capitalize(), GROUP_STYLES[last]),))
        lines.append(cells(row))
    return lines


def run_line(run: Run) -> Text:
    """Return the line over the table of a run: repository, run, and what it began from."""
    line = Text(no_wrap=True, overflow="ellipsis")
    line.append(figures.one_line(run.repo.rstrip("/").rpartition("/")[2]), "bold")
    line.append("  run ").append(run.id, "bold")
    base = run.base.removeprefix("refs/heads/")
    return line.append(f"  {figures.one_line(base)} at {run.base_sha[:7]}")


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
