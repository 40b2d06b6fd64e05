"""`abreast worker`: a worker in the foreground."""

from dataclasses import replace

import click

from abreast.cli import as_json, options
from abreast.places import find_places


@click.command()
@click.option(
    "--db",
    metavar="URL",
    default="",
    help="The database; without it $ABREAST_DB, or else the file of this machine",
)
@click.option(
    "--idle-exit",
    metavar="SECONDS",
    type=float,
    default=0.0,
    help="Exit after so long without work; without it never",
)
@click.option(
    "--take-over",
    is_flag=True,
    help="Also take over the runs of a machine or state folder that is gone for good",
)
@options.as_json
def worker(*, db: str, idle_exit: float, take_over: bool, json: bool) -> int:
    """Work through queued runs in the foreground

    `abreast run` starts a worker in the background where none is; this one is for machines that
    do nothing else. Ctrl-C leaves; running sessions continue and are adopted by the next worker.

    Where state folders or machines share a PostgreSQL database, one at a time has a worker on it;
    the lease of a machine that died ends after a minute. With --take-over its runs become ours:
    what was at work there ends as failed, to be run again; its uncommitted work stays there.
    """
    from abreast.engine.working.worker import main

    places = find_places()
    if db:
        places = replace(places, database=db)
    code = main(places, idle_exit or None, take_over=take_over)
    if json:
        as_json.emit({"exit_code": code})
    return code
