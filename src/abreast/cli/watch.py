"""`abreast watch`: follow a run that somebody started."""

import click

from abreast.cli import options


@click.command()
@options.run_name
@options.as_json
def watch(*, run: str, json: bool) -> int:
    """Follow a run until it ends

    Ctrl-C stops the showing, not the run. The exit code is 0 only if every task is done.
    """
    from abreast import api
    from abreast.cli.follow import follow

    return follow(api.find_run(run), json=json)
