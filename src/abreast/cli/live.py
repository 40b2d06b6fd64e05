"""A run while it runs: a live view on a terminal, plain lines everywhere else, then how it went."""

import contextlib
from collections.abc import Callable, Container, Iterator
from dataclasses import replace

import click
from rich.console import Console

from abreast.api.following import Progress, wait, wait_for_all
from abreast.api.looking import snapshot
from abreast.cli import as_json, door, own_screen
from abreast.cli.drawing import Clock, Picture
from abreast.cli.edge import INTERRUPTED
from abreast.cli.filters import RowFilter
from abreast.cli.groups import rows_of_run
from abreast.cli.plain_lines import Lines
from abreast.cli.table import closing
from abreast.errors import NotFoundError
from abreast.model.session import Run, RunState
from abreast.model.snapshot import Snapshot
from abreast.process import clock
from abreast.process import clock as clocks


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
        return wanted.of(of_followed(found, followed))

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


def of_followed(found: Snapshot, followed: Container[str]) -> Snapshot:
    """Return the snapshot of the runs `followed` and of what needs a person elsewhere.

    The conflicts of what has ended elsewhere were told when it did.
    """
    rows = []
    for row in found.rows:
        if row.session.run in followed:
            rows.append(row)
        elif row.need:
            rows.append(replace(row, session=replace(row.session, conflicts=())))
    return found.with_rows(rows)


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
