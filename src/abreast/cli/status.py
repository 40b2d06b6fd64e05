"""`abreast status`: runs and sessions as they stand."""

from typing import TYPE_CHECKING

import click

from abreast.cli import options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from abreast.model.attendance import Presence
    from abreast.model.session import Run


@click.command()
@options.run_name
@click.option("--all", "everything", is_flag=True, help="List all runs, one line each")
@options.as_json
def status(*, run: str, everything: bool, json: bool) -> int:
    """Show runs and their sessions as they stand

    Without RUN: every run that is going on, or else the newest one; of a run of more than 40
    sessions those at work and those in trouble first. A run that nobody works on says so: a
    machine restart or `kill -9` has ended its worker and its agents.
    """
    from abreast import api
    from abreast.api import looking
    from abreast.cli import as_json

    shown: list[Run]
    if run:
        shown = [api.find_run(run)]
    elif everything:
        shown = api.runs(limit=1_000_000)
    else:
        newest = api.runs()
        shown = [r for r in newest if not r.state.final] or newest[:1]
    found = [(r, looking.presence(r)) for r in shown]
    if json:
        as_json.emit({"runs": [as_json.run_dict(r, who) for r, who in found]})
    elif found:
        _print(found, brief=everything, whole=bool(run))
    else:
        click.echo("nothing has run yet\nhint: `abreast demo` shows a run", err=True)
    return 0


def _print(found: "Sequence[tuple[Run, Presence]]", *, brief: bool, whole: bool) -> None:
    from abreast.cli import door, table
    from abreast.process import clock

    console = door.console()
    if brief:
        console.print(table.runs_table(found, clock.now()))
        return
    for number, (run, who) in enumerate(found):
        if number:
            console.print()
        room = len(run.sessions) if whole else table.ROOM
        console.print(table.closing(run, who.at(clock.now()), room, who.who))
