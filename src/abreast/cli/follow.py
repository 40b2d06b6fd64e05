"""What run, watch, resume, retry and land share: show a run until it ends, then say how it went."""

from collections.abc import Callable

import click

from abreast.api.following import Progress, wait
from abreast.cli import as_json, door, live, table
from abreast.cli.edge import INTERRUPTED
from abreast.model.session import Run
from abreast.model.states import RunState
from abreast.process import clock

Work = Callable[[Progress], Run]


def follow(run: Run, *, json: bool) -> int:
    """Show `run` until it is final and return the exit code; Ctrl-C only stops the showing."""
    return show(run, lambda progress: wait(run.id, progress=progress), json=json)


def show(run: Run, work: Work, *, json: bool, subject: str = "run") -> int:
    """Show `run` while `work` goes on with it, print how it ended, and return the exit code."""
    try:
        with live.view(door.console(stderr=True)) as progress:
            progress(run)
            ended = work(progress)
    except KeyboardInterrupt:
        detached(run, subject)
        return INTERRUPTED
    return close(ended, json=json)


def detached(run: Run, subject: str = "run") -> None:
    """Say that the run goes on without us."""
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
        door.console().print(table.closing(run, clock.now()))
    return code_of(run)


def code_of(run: Run) -> int:
    """Return 0 when every task is done (and has landed, if it was to), else 1."""
    return 0 if run.state is RunState.DONE else 1
