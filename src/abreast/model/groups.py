"""Which group of the snapshot a session is in, and what it needs a person for. Pure."""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from abreast.model.cause import SETTLED
from abreast.model.session import (
    FINAL_STATES,
    Attendance,
    LandMode,
    LandState,
    Run,
    Session,
    SessionState,
)
from abreast.model.snapshot import Group, Row, Snapshot, Watched

if TYPE_CHECKING:
    from abreast.model.question import Question


def snapshot_of(
    runs: Sequence[Watched],
    asked: "Iterable[Question]",
    stamp: int,
    before: Snapshot | None = None,
) -> Snapshot:
    """Return the snapshot of these runs, newest first.

    `asked` are the questions that wait for a person, the oldest first. `stamp` is a number that is
    equal where all that was read of them in the database is. Rows of the snapshot `before` are
    taken over where they are the same.
    """
    # Who is at work is in no row of the database.
    odd = (one for one in runs if one.presence.who in {Attendance.AGENT, Attendance.NOBODY})
    marks = [f"{one.run.id}:{one.presence.who}" for one in odd]
    revision = "-".join([f"{stamp % 2**64:016x}", *marks])
    questions: dict[str, tuple[Question, ...]] = {}
    for one in asked:
        questions[one.session] = (*questions.get(one.session, ()), one)
    known = _known(before) if before else {}
    rows = (row for one in runs for row in rows_of(one, questions, known.get(one.run.id, _NONE)))
    return Snapshot(revision, tuple(in_order(rows)), tuple(runs))


@dataclass(frozen=True)
class _KnownRows:
    """What a run was when its rows were made, and those of them that depend on nothing else."""

    run: Run | None = None
    rows: Mapping[str, Row] = field(default_factory=dict)

    def of(self, run: Run) -> Mapping[str, Row]:
        """Return the rows that are still right, by session, if their sessions are the same."""
        return self.rows if self.run and _outside(self.run) == _outside(run) else {}


_NONE = _KnownRows()


def _known(snapshot: Snapshot) -> dict[str, _KnownRows]:
    """Return the rows of a snapshot that other sessions, questions and workers do not change."""
    found: dict[str, dict[str, Row]] = {}
    for row in snapshot.rows:
        if row.need is None and row.group is not Group.WAITING:
            found.setdefault(row.session.run, {})[row.session.id] = row
    return {one.run.id: _KnownRows(one.run, found.get(one.run.id, {})) for one in snapshot.runs}


def _outside(run: Run) -> tuple[object, ...]:
    """Return what of a run its rows depend on."""
    return run.repo, run.target, run.base, run.state, run.land, run.began


def rows_of(
    watched: Watched,
    questions: "Mapping[str, tuple[Question, ...]]",
    known: _KnownRows = _NONE,
) -> list[Row]:
    """Return the rows of a run, in its plan's order; `questions` wait, by their sessions."""
    run = watched.run
    before = known.of(run) if watched.presence.who is not Attendance.NOBODY else {}
    left = watched.presence.who is Attendance.NOBODY
    ended = {one.task for one in run.sessions if one.state in FINAL_STATES}
    target = run.target or run.base
    rows = []
    for session in run.sessions:
        same = before.get(session.id)
        if same is not None and same.session is session and session.id not in questions:
            rows.append(same)
            continue
        asked, need = questions.get(session.id, ()), None
        if asked or (_may_need(session, run) if session.state.final else left):
            from abreast.model import needs

            need = needs.need_of(session, run, asked, unattended=left)
            if need and need.kind == "unattended":
                left = False  # one command goes on with the whole run: it is asked for once
        group = Group.NEEDS_YOU if need else group_of(session, run)
        # A thousand are made at once, and `__init__` of a frozen class makes a call for each field.
        row = object.__new__(Row)
        vars(row).update(
            session=session,
            repo=run.repo,
            target=target,
            group=group,
            since=session.since or run.began,
            need=need,
            waits=_waits_for(session, ended) if group is Group.WAITING else "",
        )
        rows.append(row)
    return rows


def in_order(rows: Iterable[Row]) -> list[Row]:
    """Return rows by their groups; what needs a person by how long it has, the others as given."""
    found: dict[Group, list[Row]] = {group: [] for group in Group}
    for row in rows:
        found[row.group].append(row)
    found[Group.NEEDS_YOU].sort(key=lambda row: (row.need and row.need.since) or 0.0)
    return [row for group in found.values() for row in group]


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


def _waits_for(session: Session, ended: Container[str]) -> str:
    """Return what a queued session waits for: tasks by name, what holds it up, or a place."""
    tasks = [name for name in session.waits_for if name not in ended]
    if tasks:
        return f"after {', '.join(tasks)}"
    return session.held.words if session.held else "for a place"


def _may_need(session: Session, run: Run) -> bool:
    """Return whether one that has ended may need a person: it spares an import where none does."""
    if session.state is not SessionState.DONE:
        blocked = session.state in {SessionState.BLOCKED, SessionState.STOPPED}
        return blocked or session.cause in SETTLED
    if session.landing is not LandState.NONE:
        return session.landing in {LandState.BOUNCED, LandState.READY}
    return run.state.final and (run.land is LandMode.REVIEW or bool(session.reason))
