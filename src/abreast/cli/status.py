"""`abreast status`: runs and sessions as they stand."""

from collections.abc import Sequence

import click

from abreast.api import looking
from abreast.cli import as_json, door, options
from abreast.model.attendance import Presence
from abreast.model.harmless import harmless
from abreast.model.session import Run
from abreast.model.words import counted
from abreast.places import find_places
from abreast.process import clock
from abreast.store.unrecorded import Unrecorded

_SHOWN = 5  # of the sessions whose record is gone


@click.command()
@options.run_name
@click.option("--all", "everything", is_flag=True, help="List all runs, one line each")
@options.as_json
def status(*, run: str, everything: bool, json: bool) -> int:
    """Show the state of runs and their sessions

    Without RUN: every unfinished run, or else the newest one; of a run of more than 40
    sessions those at work and those in trouble first. A run that nobody works on says so: a
    machine restart or `kill -9` has ended its worker and its agents.
    """
    shown: list[Run]
    if run:
        shown = [looking.find_run(run)]
    elif everything:
        shown = looking.runs(limit=1_000_000)
    else:
        newest = looking.runs()
        shown = [r for r in newest if not r.state.final] or newest[:1]
    found = [(r, looking.presence(r)) for r in shown]
    left = [] if run or not find_places().worktrees.exists() else looking.unrecorded()
    if json:
        runs = [as_json.run_dict(r, who) for r, who in found]
        as_json.emit({"runs": runs, "unrecorded": left})
    elif found:
        _print(found, brief=everything, whole=bool(run))
    elif not left:
        click.echo("nothing has run yet\nhint: `abreast demo` shows a run", err=True)
    if left and not json:
        _tell_unrecorded(left, alone=not found)
    return 0


def _tell_unrecorded(left: Sequence[Unrecorded], *, alone: bool) -> None:
    """Say that there is work whose record is gone, and where it is."""
    head = "no run is on record, but there is work of " if alone else "\nno record tells of "
    many = f"{head}{counted(len(left), 'session')}"
    places = [f"  {one.id}: {one.worktree or one.directory}" for one in left[:_SHOWN]]
    more = [f"  and {len(left) - _SHOWN:,} more"] if len(left) > _SHOWN else []
    hint = "hint: abreast doctor tells how to get it back; the database was lost or emptied"
    click.echo(harmless("\n".join([f"{many}:", *places, *more, hint])), err=True)


def _print(found: Sequence[tuple[Run, Presence]], *, brief: bool, whole: bool) -> None:
    from abreast.cli import table

    console = door.console()
    if brief:
        console.print(table.runs_table(found, clock.now()))
        return
    for number, (run, who) in enumerate(found):
        if number:
            console.print()
        room = len(run.sessions) if whole else table.ROOM
        console.print(table.closing(run, who.at(clock.now()), room, who.who))
