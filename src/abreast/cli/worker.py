"""`abreast worker`: a worker in the foreground."""

from dataclasses import replace

import click

from abreast.cli import options


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
    help="Leave after so long without work; without it never",
)
@options.as_json
def worker(*, db: str, idle_exit: float, json: bool) -> int:
    """Work through queued runs in the foreground

    `abreast run` starts a worker in the background where none is; this one is for machines that
    do nothing else. Ctrl-C leaves; sessions that run go on and are adopted by the next worker.
    """
    from abreast.cli import as_json
    from abreast.engine.worker import main
    from abreast.places import find_places

    places = find_places()
    if db:
        places = replace(places, database=db)
    code = main(places, idle_exit or None)
    if json:
        as_json.emit({"exit_code": code})
    return code
