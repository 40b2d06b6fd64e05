"""A run while it runs: a live view on a terminal, plain lines everywhere else, then how it went."""

import contextlib
from collections.abc import Callable, Iterator

import click
from rich.console import Console, Group, RenderableType
from rich.text import Text

from abreast.api.following import Progress, wait
from abreast.cli import as_json, door, figures, own_screen
from abreast.cli.console import Column, Grid
from abreast.cli.edge import INTERRUPTED
from abreast.cli.notices import conflict_lines, conflicts_of, name_of
from abreast.cli.states import EXPLAINED, LAND_STYLES, MARKS, SESSION_STYLES
from abreast.cli.table import closing, files, fold, spent, tally
from abreast.model.conflicts import WorkConflict, told_files
from abreast.model.moment import Moment
from abreast.model.session import (
    LandState,
    Run,
    RunState,
    Session,
    SessionState,
)
from abreast.process import clock
from abreast.process import clock as clocks

Clock = Callable[[], Moment]

_CONFLICTS = 4  # lines of the live view
_LINES_AROUND = 5  # of the live view: title, headings, fold line, empty line, footer


@contextlib.contextmanager
def view(
    console: Console, clock: Clock = clocks.now, *, known: Run | None = None
) -> Iterator[Progress]:
    """Show a run on `console` for as long as the block lasts; feed it each new state of the run.

    Plain lines leave out what is as in `known`.
    """
    if own_screen.is_ours(console):
        picture = Picture(console, clock)
        with own_screen.drawn(console, picture.render) as redraw:

            def show(run: Run) -> None:
                first = picture.is_empty
                picture.show(run)
                if first:
                    redraw()

            yield show
    else:
        yield Lines(console, known).show


class Picture:
    """The live view: one line a session, drawn afresh from the run's last known state."""

    def __init__(self, console: Console, clock: Clock = clocks.now) -> None:
        self._console = console
        self._clock = clock
        self._run: Run | None = None

    @property
    def is_empty(self) -> bool:
        return self._run is None

    def show(self, run: Run) -> None:
        self._run = run

    def render(self) -> RenderableType:
        if self._run is None:
            return Text("starting")
        return live(self._run, self._clock(), self._console)


def live(run: Run, now: Moment, console: Console) -> RenderableType:
    """Return the live view of `run` at the time `now`, no higher than the console."""
    clashes = _conflicts(run)
    room = max(1, console.height - _LINES_AROUND - len(clashes))
    shown, folded = fold(run.sessions, room)
    ascii_only = console.options.ascii_only
    rows = [
        (
            Text(MARKS[session.state][ascii_only], SESSION_STYLES[session.state]),
            Text(name_of(session)),
            Text(session.state, SESSION_STYLES[session.state]),
            Text(figures.one_line(session.agent)),
            Text(figures.duration(session.took(now))),
            Text(doing(session)),
            Text(figures.count(_tokens(session))),
            Text(figures.money(session.usage.cost_usd)),
            Text(files(session)),
        )
        for session in shown
    ]
    head = Text(no_wrap=True, overflow="ellipsis")
    head.append(f"run {run.id}", "bold")
    head.append(f"  {run.base} at {run.base_sha[:7]}  {figures.duration(now.since(run.began))}")
    foot = Text(tally(run.sessions), no_wrap=True, overflow="ellipsis")
    used = spent(run.sessions)
    if used:
        foot.append(f"; {used}")
    parts: list[RenderableType] = [head, Grid(_COLUMNS, rows)]
    if folded:
        dots = "..." if ascii_only else "…"
        parts.append(Text(f"  {dots} and {figures.counted(len(folded), 'session')} more", "dim"))
    return Group(*parts, *clashes, Text(), foot)


def _conflicts(run: Run) -> list[Text]:
    """Return a line for each conflict; of many, the first few and how many more there are."""
    lines = conflict_lines(run.sessions)
    rest = len(lines) - _CONFLICTS
    for line in lines:
        line.no_wrap, line.overflow = True, "ellipsis"
    if rest > 0:
        lines[_CONFLICTS:] = [Text(f"  and {figures.counted(rest, 'conflict')} more", "dim")]
    return lines


_COLUMNS = (
    Column(""),
    Column("task", least=16),
    Column("state"),
    Column("agent", least=6),
    Column("time", right=True),
    Column("now", least=22, fill=True),
    Column("tokens", right=True),
    Column("cost", right=True),
    Column("files", right=True),
)


def _tokens(session: Session) -> int | None:
    known = [n for n in (session.usage.input_tokens, session.usage.output_tokens) if n is not None]
    return sum(known) if known else None


def doing(session: Session) -> str:
    """Return in a few words what a session is doing, waits for, or ended with."""
    if session.landing is not LandState.NONE:
        return f"{landing_word(session)} {landed_as(session)}".strip()
    if session.repairing and session.state in {SessionState.QUEUED, SessionState.PREPARING}:
        return f"repairing {session.repairing}: {figures.one_line(session.reason)}"
    if session.state is SessionState.QUEUED:
        return f"after {', '.join(session.waits_for)}" if session.waits_for else ""
    if session.state is SessionState.DONE:
        return f"commit {session.commit[:7]}" if session.commit else "nothing to commit"
    if session.state.final:
        return figures.one_line(session.reason)
    return figures.one_line(session.last_action)


class Lines:
    """Plain lines: one for each change of a session's state, landing or conflicts."""

    def __init__(self, console: Console, known: Run | None = None) -> None:
        self._console = console
        self._seen: dict[str, tuple[SessionState, LandState]] = {
            session.id: (session.state, session.landing)
            for session in (known.sessions if known else ())
        }
        self._conflicts: dict[tuple[str, str, bool], WorkConflict] = {}

    def show(self, run: Run) -> None:
        for session in run.sessions:
            state, landing = self._seen.get(session.id, (None, LandState.NONE))
            if session.state is not state:
                self._say(session, session.state, _told(session), SESSION_STYLES[session.state])
            if session.landing is not landing:
                style = LAND_STYLES[session.landing]
                left = session.landing is LandState.NONE  # its reason says why
                more = figures.one_line(session.reason) if left else landed_as(session)
                self._say(session, landing_word(session), more, style)
            self._seen[session.id] = (session.state, session.landing)
        self._show_conflicts(run)

    def _show_conflicts(self, run: Run) -> None:
        """Tell which conflicts have begun or are in other files now, and which are over."""
        found = {
            (session.id, one.other, one.is_target): one
            for session, one in conflicts_of(run.sessions)
        }
        sessions = {session.id: session for session in run.sessions}
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


def landing_word(session: Session) -> str:
    """Return the state of a landing so that it is not taken for that of the session."""
    words = {LandState.QUEUED: "waits to land", LandState.NONE: "no longer waits to land"}
    return words.get(session.landing, session.landing)


def landed_as(session: Session) -> str:
    """Return the short commit or the address that a session has landed as, or why it has not."""
    if session.landing in EXPLAINED:
        return figures.one_line(session.reason)
    return session.landed if "://" in session.landed else session.landed[:7]


def _told(session: Session) -> str:
    if session.state in {SessionState.RUNNING, SessionState.PREPARING}:
        return figures.one_line(session.agent)
    if session.state is SessionState.DONE:
        commit = f"commit {session.commit[:7]}" if session.commit else "nothing to commit"
        return f"{figures.counted(len(session.files), 'file')}, {commit}"
    if session.state.final or session.state is SessionState.QUEUED:
        return doing(session)
    return f"repairing {session.repairing}" if session.repairing else ""


Work = Callable[[Progress], Run]


def follow(run: Run, *, json: bool) -> int:
    """Show `run` until it is final and return the exit code; Ctrl-C only stops the showing."""
    return show_until(run, lambda progress: wait(run.id, progress=progress), json=json)


def show_until(
    run: Run, work: Work, *, json: bool, subject: str = "run", known: Run | None = None
) -> int:
    """Show `run` while `work` goes on with it, print how it ended, and return the exit code.

    Plain lines leave out what is as in `known`.
    """
    try:
        with view(door.console(stderr=True), known=known) as progress:
            progress(run)
            ended = work(progress)
    except KeyboardInterrupt:
        detached(run, subject)
        return INTERRUPTED
    return close(ended, json=json)


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
