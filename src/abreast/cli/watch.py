"""`abreast watch`: follow a run that somebody started."""

import click

from abreast.cli import options


@click.command()
@options.run_name
@options.as_json
def watch(*, run: str, json: bool) -> int:
    """Follow a run until it ends

    Ctrl-C closes the view; the run continues. A worker that has died is replaced by one that
    continues the run. The exit code is 0 only if every task is done.
    """
    from abreast.api import looking
    from abreast.cli.follow import follow
    from abreast.model.attendance import Attendance

    found = looking.find_run(run)
    if looking.presence(found).who in {Attendance.AGENT, Attendance.NOBODY}:
        text = f"run {found.id} has no worker: it has died; another one is started"
        click.echo(text, err=True)
    return follow(found, json=json)
