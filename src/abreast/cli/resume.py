"""`abreast resume` and `abreast retry`: go on with what is not done."""

import click

from abreast.api.looking import find_run
from abreast.cli import options


@click.command()
@options.run_name
@options.as_json
def resume(*, run: str, json: bool) -> int:
    """Continue a run where it stopped

    Sessions that are not done are queued again, each in its own worktree and, where its CLI can,
    in the same conversation; so are those whose processes died with the machine. The exit code is 0
    only if every task is done.
    """
    from abreast.api import running
    from abreast.cli.follow import follow

    return follow(running.resume(run or find_run().id), json=json)


@click.command()
@options.session_name
@options.as_json
def retry(*, session: str, json: bool) -> int:
    """Run one session again from its base

    The work of its earlier attempt is kept under a ref. The exit code is 0 only if every task of
    its run is done.
    """
    from abreast.api import running
    from abreast.cli.follow import follow

    return follow(running.retry(session), json=json)
