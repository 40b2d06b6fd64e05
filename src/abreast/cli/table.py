"""Tables of what was done: the closing table of a run, and the list of runs."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from abreast.cli.console import Column, Grid
from abreast.cli.groups import fold, in_groups, rows_of_run, run_line
from abreast.cli.notices import asking, notices
from abreast.faces import figures
from abreast.faces.rows import files, name_of, spent, tally, tokens
from abreast.faces.states import LAND_STYLES, RUN_STYLES, SESSION_STYLES
from abreast.model.moment import Moment
from abreast.model.session import (
    Attendance,
    LandMode,
    LandState,
    Run,
    Session,
    SessionState,
)
from abreast.model.snapshot import Row
from abreast.model.text import named

if TYPE_CHECKING:
    from abreast.model.changes import Removal
    from abreast.model.session import Presence


ROOM = 40  # sessions of a run that are shown unless all are asked for


def closing(
    run: Run,
    now: Moment,
    room: int = ROOM,
    who: Attendance = Attendance.NOT_NEEDED,
    rows: Sequence[Row] | None = None,
) -> RenderableType:
    """Return the closing table of a run, what went wrong under it, and the next step.

    Of more than `room` sessions the liveliest are shown, and how many more there are. `who` works
    on it; where that is nobody, `now` is when something of it was last seen to live. `rows` are
    those of its sessions to show, all by default.
    """
    found = rows_of_run(run, who).rows if rows is None else rows
    shown, folded = fold(found, room)
    parts: list[RenderableType] = [run_line(run), sessions_table(shown, now)]
    if folded:
        rest = tally(row.session for row in folded)
        more = f"and {len(folded):,} more: {rest}; abreast status {run.id} lists all"
        parts.append(Text(more, "dim", overflow="fold"))
    for block in notices([row.session for row in shown], asking(shown)):
        parts += [Text(), *block]
    return Group(*parts, Text(), summary(run, now, who))


def sessions_table(rows: Sequence[Row], now: Moment) -> Grid:
    """Return one line for each row, in groups. The landing column is there once anything lands."""

    def cells(row: Row) -> Sequence[Text]:
        session = row.session
        return (
            Text(name_of(session)),
            Text(session.state, SESSION_STYLES[session.state]),
            Text(figures.one_line(session.agent)),
            Text(figures.one_line(session.model)),
            Text(figures.duration(session.took(now))),
            Text(figures.age(row.age(now))),
            Text(tokens(session.usage)),
            Text(figures.money(session.usage.cost_usd)),
            Text(files(session)),
            Text(session.commit[:7] or figures.UNKNOWN),
            _landing(session),
            Text(figures.one_line(session.produces)),
        )

    landing = any(r.session.landing is not LandState.NONE or r.session.repairing for r in rows)
    at = [n for n, one in enumerate(_COLUMNS) if landing or one.heading != "landing"]
    lines = [row if len(row) == 1 else [row[n] for n in at] for row in in_groups(rows, cells)]
    return Grid([_COLUMNS[n] for n in at], lines)


def _landing(session: Session) -> Text:
    if session.repairing:
        return Text(f"repairing {session.repairing}", "yellow")
    none = session.landing is LandState.NONE
    return Text(figures.UNKNOWN if none else session.landing, LAND_STYLES[session.landing])


_COLUMNS = (
    Column("task", least=12),
    Column("state"),
    Column("agent", least=6, drop=2),
    Column("model", drop=8),
    Column("time", right=True, drop=3),
    Column("age", right=True, drop=7),
    Column("tokens", right=True, drop=5),
    Column("cost", right=True, drop=4),
    Column("files", right=True, drop=6),
    Column("commit", drop=1),
    Column("landing"),
    Column("task sentence", least=30, fill=True, drop=9),
)


def runs_table(runs: "Iterable[tuple[Run, Presence]]", now: Moment) -> Grid:
    """Return one row for each run."""
    columns = (
        Column("run"),
        Column("began"),
        Column("state"),
        Column("done", right=True),
        Column("time", right=True),
        Column("land"),
        Column("base", least=4),
        Column("repository", least=10),
        Column("tasks", least=12, fill=True),
    )
    rows = [
        (
            Text(run.id),
            Text(figures.moment(run.created)),
            Text(f"{run.state}, unattended", "yellow")
            if who.who is Attendance.NOBODY
            else Text(run.state, RUN_STYLES[run.state]),
            Text(f"{_done(run)}/{len(run.sessions)}"),
            Text(figures.duration(run.took(who.at(now)))),
            Text(run.land),
            Text(figures.one_line(run.base.removeprefix("refs/heads/"))),
            Text(figures.one_line(Path(run.repo).name)),
            Text(", ".join(name_of(session) for session in run.sessions)),
        )
        for run, who in runs
    ]
    return Grid(columns, rows)


def _done(run: Run) -> int:
    return sum(session.state is SessionState.DONE for session in run.sessions)


def summary(run: Run, now: Moment, who: Attendance = Attendance.NOT_NEEDED) -> Text:
    """Return the last lines: how much of the run is done, what it used, and what to do next."""
    took = figures.duration(run.took(now))
    text = Text(f"run {run.id}: ", overflow="fold")
    text.append(run.state, RUN_STYLES[run.state])
    if who is Attendance.NOBODY:
        text.append(", but nobody works on it", "yellow")
        text.append(": its worker has died")
    text.append(f", {_done(run)} of {figures.counted(len(run.sessions), 'task')} done in {took}")
    landing = _landing_tally(run)
    if landing:
        text.append(f"\nlanding: {landing}")
    used = spent(run.sessions)
    if used:
        text.append(f"\nused: {used}")
    for line in run.note.splitlines():
        text.append(f"\nnote: {figures.one_line(line)}")
    if who is Attendance.AGENT:
        text.append(
            "\nnote: its worker has died; its agents go on, and the first to end starts another"
        )
    if who is Attendance.NOBODY:
        text.append(f"\nnext: abreast resume {run.id} to go on with it")
    for step in next_steps(run):
        text.append(f"\n{step}")
    return text


def _landing_tally(run: Run) -> str:
    counts = Counter[LandState](session.landing for session in run.sessions)
    known = [state for state in LandState if counts[state] and state is not LandState.NONE]
    return ", ".join(f"{counts[state]} {state}" for state in known)


def next_steps(run: Run) -> list[str]:
    """Return a line for each thing the user may want to do now."""
    steps = []
    ready = [
        s
        for s in run.sessions
        if s.state is SessionState.DONE and s.commit and s.landing is LandState.NONE
    ]
    if run.state.final and ready:
        them, target = "it" if len(ready) == 1 else "them", run.target or run.base
        if run.land is LandMode.REVIEW:
            waits = f"{figures.counted(len(ready), 'task')} {'wait' if ready[1:] else 'waits'}"
            steps.append(f"{waits} for your review; what you approve is merged into {target}")
            steps.append(f"next: abreast land {run.id} --review to look at {them} and decide")
        else:
            steps.append(f"next: abreast land {run.id} to bring {them} into {target}")
    # One that has asked goes on with its answer; resumed without, it would only ask again.
    left = (s for s in run.sessions if s.state is not SessionState.DONE)
    if run.state.final and any("abreast answer " not in s.hint for s in left):
        steps.append(f"next: {run.sessions[0].goes_on_by} to go on with what is not done")
    return steps


def removals_summary(removals: "Sequence[Removal]", *, removed: bool) -> Text:
    """Return how many worktrees go and stay, how big they are, and why some stay."""
    going = [one for one in removals if not one.kept]
    staying = [one for one in removals if one.kept]
    size = figures.size(sum(one.bytes for one in going))
    word = "removed" if removed else "can go"
    text = Text(f"{figures.counted(len(removals), 'worktree')}: ", overflow="fold")
    text.append(f"{len(going)} {word}, {size}", "green" if going else "")
    if staying:
        why = Counter(figures.one_line(one.kept).partition(":")[0] for one in staying)
        told = ", ".join(f"{number} {reason}" for reason, number in why.most_common(_REASONS))
        size = figures.size(sum(one.bytes for one in staying))
        stay = "stays" if len(staying) == 1 else "stay"
        text.append(f"; {len(staying)} {stay}, {size} ({told})")
    return text


_REASONS = 3


def removals_table(removals: "Sequence[Removal]", *, removed: bool) -> RenderableType:
    """Return one row for each worktree that goes or stays, and why; then what goes with it.

    No name of what is deleted is cut where the terminal ends.
    """
    columns = (
        Column("session", least=12),
        Column(""),
        Column("size", right=True),
        Column("why", least=16),
    )
    gone = Text("removed" if removed else "can go", "green")
    rows = [
        (
            Text(removal.session),
            Text("stays", "yellow") if removal.kept else gone,
            Text(figures.size(removal.bytes)),
            Text(figures.one_line(removal.kept or removal.reason)),
        )
        for removal in removals
    ]
    along = [
        Text(f"{one.session}: ignored files go too: {named(one.ignored)}", overflow="fold")
        for one in removals
        if one.ignored and not one.kept
    ]
    return Group(Grid(columns, rows), *along)
