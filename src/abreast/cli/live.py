"""A run while it runs: a live view on a terminal, plain lines everywhere else, then how it went."""

import contextlib
from collections.abc import Callable, Iterator, Sequence

import click
from rich.console import Console, RenderableType
from rich.console import Group as RichGroup
from rich.text import Text

from abreast.api.following import Progress, wait, wait_for_all
from abreast.api.looking import snapshot
from abreast.cli import as_json, door, figures, own_screen
from abreast.cli.console import Column, Grid
from abreast.cli.edge import INTERRUPTED
from abreast.cli.filters import RowFilter
from abreast.cli.groups import (
    doing,
    in_groups,
    landed_as,
    landing_word,
    liveliest,
    parted,
    rows_of_run,
    run_line,
)
from abreast.cli.notices import conflict_lines, conflicts_of, name_of
from abreast.cli.states import LAND_STYLES, MARKS, SESSION_STYLES
from abreast.cli.table import closing, files, spent, tally
from abreast.errors import NotFoundError
from abreast.model.conflicts import WorkConflict, told_files
from abreast.model.moment import Moment
from abreast.model.session import (
    LandState,
    Run,
    RunState,
    Session,
    SessionState,
)
from abreast.model.snapshot import Row, Snapshot
from abreast.process import clock
from abreast.process import clock as clocks

Clock = Callable[[], Moment]

_CONFLICTS = 4  # lines of the live view
_LINES_AROUND = 5  # of the live view: run, headings, fold line, empty line, tally


@contextlib.contextmanager
def view(
    console: Console,
    clock: Clock = clocks.now,
    *,
    known: Run | None = None,
    look: Callable[[Run], Snapshot] = rows_of_run,
) -> Iterator[Progress]:
    """Show a run on `console` for as long as the block lasts; feed it each new state of the run.

    Plain lines leave out what is as in `known`. `look` returns what is shown of a run.
    """
    with viewing(console, clock, known=known) as show:
        yield lambda run: show(look(run))


@contextlib.contextmanager
def viewing(
    console: Console, clock: Clock = clocks.now, *, known: Run | None = None
) -> Iterator[Callable[[Snapshot], None]]:
    """Show snapshots on `console` for as long as the block lasts; feed it each new one."""
    if own_screen.is_ours(console):
        picture = Picture(console, clock)
        with own_screen.drawn(console, picture.render) as redraw:

            def show(snapshot: Snapshot) -> None:
                first = picture.is_empty
                picture.show(snapshot)
                if first:
                    redraw()

            yield show
    else:
        yield Lines(console, known).show


class Picture:
    """The live view: one line a session, drawn afresh from the last known state of things."""

    def __init__(self, console: Console, clock: Clock = clocks.now) -> None:
        self._console = console
        self._clock = clock
        self._snapshot: Snapshot | None = None

    @property
    def is_empty(self) -> bool:
        return self._snapshot is None

    def show(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def render(self) -> RenderableType:
        if self._snapshot is None:
            return Text("starting")
        return live(self._snapshot, self._clock(), self._console)


def live(found: Snapshot, now: Moment, console: Console) -> RenderableType:
    """Return the live view of these runs at the time `now`, no higher than the console."""
    clashes = _conflicts(found)
    alone = len(found.runs) == 1
    shown, folded = _fitting(found, console.height - _LINES_AROUND - len(clashes))
    ascii_only = console.options.ascii_only

    def cells(row: Row) -> Sequence[Text]:
        session = row.session
        return (
            Text(MARKS[session.state][ascii_only], SESSION_STYLES[session.state]),
            Text(name_of(session)),
            Text(session.state, SESSION_STYLES[session.state]),
            Text(figures.one_line(session.agent)),
            Text(figures.duration(session.took(now))),
            Text(figures.age(row.age(now))),
            Text(doing(row)),
            Text(figures.count(row.tokens)),
            Text(figures.money(session.usage.cost_usd)),
            Text(files(session)),
        )

    lines: list[Sequence[Text]] = []
    for run, rows in shown:
        if not alone:
            lines += [(Text(),)] if lines else []
            lines.append((_head(run, now),))
        lines += in_groups(rows, cells)
    parts: list[RenderableType] = [_head(run, now) for run, _ in shown] if alone else []
    parts.append(Grid(_COLUMNS, lines))
    if folded:
        dots = "..." if ascii_only else "…"
        rest = f"  {dots} and {figures.counted(len(folded), 'session')} more: "
        parts.append(Text(f"{rest}{tally(row.session for row in folded)}", "dim"))
    sessions = [row.session for row in found.rows]
    foot = Text(tally(sessions), no_wrap=True, overflow="ellipsis")
    used = spent(sessions)
    if used:
        foot.append(f"; {used}")
    return RichGroup(*parts, *clashes, Text(), foot)


def _head(run: Run, now: Moment) -> Text:
    return run_line(run).append(f"  {figures.duration(now.since(run.began))}")


def _fitting(snapshot: Snapshot, room: int) -> tuple[list[tuple[Run, list[Row]]], list[Row]]:
    """Return the runs with those of their rows that fit into `room` lines, and the other rows.

    Runs in the order of their first rows, so that one that needs somebody comes first.
    """
    runs = {one.run.id: one.run for one in snapshot.runs}
    headings: set[object] = set()
    chosen: list[Row] = []
    for row in liveliest(snapshot.rows):
        run = row.session.run
        new = {(run, row.group), *([] if len(runs) == 1 else [run, (run, "an empty line")])}
        room -= 1 + len(new - headings)
        if room < 0 and chosen:
            break
        headings |= new
        chosen.append(row)
    shown, folded = parted(snapshot.rows, chosen)
    of_run: dict[str, list[Row]] = {}
    for row in shown:
        of_run.setdefault(row.session.run, []).append(row)
    return [(runs[name], rows) for name, rows in of_run.items()], folded


def _conflicts(snapshot: Snapshot) -> list[Text]:
    """Return a line for each conflict; of many, the first few and how many more there are."""
    lines = conflict_lines([row.session for row in snapshot.rows])
    rest = len(lines) - _CONFLICTS
    for line in lines:
        line.no_wrap, line.overflow = True, "ellipsis"
    if rest > 0:
        lines[_CONFLICTS:] = [Text(f"  and {figures.counted(rest, 'conflict')} more", "dim")]
    return lines


_COLUMNS = (
    Column(""),
    Column("task", least=14),
    Column("state"),
    Column("agent", least=6, drop=2),
    Column("time", right=True, drop=3),
    Column("age", right=True, drop=7),
    Column("now", least=22, fill=True),
    Column("tokens", right=True, drop=5),
    Column("cost", right=True, drop=4),
    Column("files", right=True, drop=6),
)


class Lines:
    """Plain lines: one for each change of a session's state, landing or conflicts."""

    def __init__(self, console: Console, known: Run | None = None) -> None:
        self._console = console
        self._seen: dict[str, tuple[SessionState, LandState]] = {
            session.id: (session.state, session.landing)
            for session in (known.sessions if known else ())
        }
        self._conflicts: dict[tuple[str, str, bool], WorkConflict] = {}
        self._asked: set[str] = set()
        self._begun = False

    def show(self, snapshot: Snapshot) -> None:
        rows = {row.id: row for row in snapshot.rows}
        if not self._begun:
            # What had ended before is in the closing table.
            ended = (row.session for row in snapshot.rows if row.session.state.final)
            self._seen |= {one.id: (one.state, one.landing) for one in ended}
        self._begun = True
        all_of_them = (session for one in snapshot.runs for session in one.run.sessions)
        sessions = [session for session in all_of_them if session.id in rows]
        for session in sessions:
            state, landing = self._seen.get(session.id, (None, LandState.NONE))
            if session.state is not state:
                self._say(session, session.state, _told(session), SESSION_STYLES[session.state])
            if session.landing is not landing:
                style = LAND_STYLES[session.landing]
                left = session.landing is LandState.NONE  # its reason says why
                more = figures.one_line(session.reason) if left else landed_as(session)
                self._say(session, landing_word(session), more, style)
            self._seen[session.id] = (session.state, session.landing)
            self._show_question(rows[session.id])
        self._show_conflicts(sessions)

    def _show_question(self, row: Row) -> None:
        """Tell what an agent asks while it is at work, and how to answer."""
        asked = row.need.questions if row.need and not row.session.state.final else ()
        if row.need and asked and asked[-1].id not in self._asked:
            self._asked.update(one.id for one in asked)
            more = f"{figures.one_line(row.need.asked)}; {row.need.answers[0].command}"
            self._say(row.session, "asks", more, "yellow")

    def _show_conflicts(self, all_of_them: Sequence[Session]) -> None:
        """Tell which conflicts have begun or are in other files now, and which are over."""
        found = {
            (session.id, one.other, one.is_target): one
            for session, one in conflicts_of(all_of_them)
        }
        sessions = {session.id: session for session in all_of_them}
        for key, one in found.items():
            if key not in self._conflicts or self._conflicts[key].key != one.key:
                files = "; ".join(told_files(one.files, one.more))
                word = f"conflicts with {figures.one_line(one.other)}"
                self._say(sessions[key[0]], word, figures.one_line(files), "yellow")
        for key in self._conflicts.keys() - found.keys():
            word = f"no longer conflicts with {figures.one_line(key[1])}"
            self._say(sessions[key[0]], word, "", "dim")
        self._conflicts = found

    def _say(self, session: Session, word: str, more: str, style: str) -> None:
        line = Text(f"{session.id}: ").append(word, style)
        if more:
            line.append(f", {more}")
        self._console.print(line, soft_wrap=True)


def _told(session: Session) -> str:
    if session.state in {SessionState.RUNNING, SessionState.PREPARING}:
        return figures.one_line(session.agent)
    if session.state is SessionState.DONE:
        commit = f"commit {session.commit[:7]}" if session.commit else "nothing to commit"
        return f"{figures.counted(len(session.files), 'file')}, {commit}"
    if session.state is SessionState.QUEUED and not session.repairing:
        return f"after {', '.join(session.waits_for)}" if session.waits_for else ""
    if session.state.final:
        return figures.one_line(session.reason)
    return f"repairing {session.repairing}" if session.repairing else ""


Work = Callable[[Progress], Run]


def follow(run: Run, *, json: bool, wanted: RowFilter = RowFilter()) -> int:  # noqa: B008 (a frozen value)
    """Show `run` until it is final and return the exit code; Ctrl-C only stops the showing."""
    work = lambda progress: wait(run.id, progress=progress)  # noqa: E731
    return show_until(run, work, json=json, wanted=wanted)


def show_until(
    run: Run,
    work: Work,
    *,
    json: bool,
    subject: str = "run",
    known: Run | None = None,
    wanted: RowFilter = RowFilter(),  # noqa: B008 (a frozen value)
) -> int:
    """Show `run` while `work` goes on with it, print how it ended, and return the exit code.

    Plain lines leave out what is as in `known`.
    """

    def look(run: Run) -> Snapshot:
        try:
            found = snapshot(run.id)  # with the questions that wait for a person
        except NotFoundError:  # its database has been lost
            found = rows_of_run(run)
        return wanted.of(found)

    try:
        with view(door.console(stderr=True), known=known, look=look) as progress:
            progress(run)
            ended = work(progress)
    except KeyboardInterrupt:
        detached(run, subject)
        return INTERRUPTED
    return close(ended, json=json)


def follow_all(wanted: RowFilter, *, json: bool) -> int:
    """Show all that goes on on this machine until nothing does; return the exit code.

    What needs a person is shown of other runs too.
    """
    followed: dict[str, None] = {}

    def shown(found: Snapshot) -> Snapshot:
        followed.update(dict.fromkeys(one.run.id for one in found.runs if one.goes_on))
        rows = [row for row in found.rows if row.session.run in followed or row.need]
        names = {row.session.run for row in rows}
        runs = [one for one in found.runs if one.run.id in names]
        return wanted.of(Snapshot(found.revision, tuple(rows), tuple(runs)))

    try:
        with viewing(door.console(stderr=True)) as show:
            ended = wait_for_all(progress=lambda found: show(shown(found)))
    except KeyboardInterrupt:
        text = "all of it goes on; abreast watch shows it, abreast stop RUN ends a run"
        click.echo(text, err=True)
        return INTERRUPTED
    runs = [one.run for one in ended.runs if one.run.id in followed]
    runs = runs or [ended.runs[0].run]  # all had ended before the first look
    if json:
        found = [as_json.run_dict(run) for run in runs]
        as_json.emit({"run": found[0], "runs": found})
        return max(map(code_of, runs))
    for number, run in enumerate(runs):
        if number:
            click.echo()
        close(run, json=False)
    return max(map(code_of, runs))


def detached(run: Run, subject: str = "run") -> None:
    """Print that the run continues, and how to see or stop it."""
    click.echo(
        f"the {subject} goes on; abreast watch {run.id} shows it, abreast stop {run.id} ends it",
        err=True,
    )


def leave(run: Run, then: str, *, json: bool) -> int:
    """Print the name of a run that was started and is not waited for; `then` is the next step."""
    if json:
        as_json.emit({"run": as_json.run_dict(run)})
    else:
        click.echo(run.id)
        click.echo(f"started; abreast {then}", err=True)
    return 0


def close(run: Run, *, json: bool) -> int:
    """Print the closing table, or JSON, and return the exit code."""
    if json:
        as_json.emit({"run": as_json.run_dict(run)})
    else:
        door.console().print(closing(run, clock.now()), crop=False)
    return code_of(run)


def code_of(run: Run) -> int:
    """Return 0 when every task is done (and has landed, if it was to), else 1."""
    return 0 if run.state is RunState.DONE else 1
