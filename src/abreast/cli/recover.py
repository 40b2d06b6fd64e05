"""`abreast recover`: rebuild the records of a database that was lost or damaged."""

from pathlib import Path

import click

from abreast.cli import as_json, options
from abreast.faces import figures
from abreast.model.recovery import Recovery
from abreast.model.text import counted

_SHOWN = 40  # runs; --json has all


@click.command()
@options.repo
@options.as_json
def recover(*, repo: Path | None, json: bool) -> int:
    """Rebuild the records of a database that was lost or damaged

    A damaged database file is moved aside, whole, and a new one is made. Then every run that is
    not on record is rebuilt from its files in the state folder and from the refs in its
    repository, and what nothing tells of is named. Work that had not ended goes on. What is on
    record is left alone, so this can be repeated.
    """
    from abreast.api import recovering

    done = recovering.recover(repo=repo)
    if json:
        as_json.emit(done)
    else:
        _print(done)
    return int(bool(done.left))


def _print(done: Recovery) -> None:
    if done.aside is not None:
        click.echo(f"the database was damaged ({figures.one_line(done.damage)})")
        click.echo(f"it is kept in {done.aside}; there is a new one now")
    if not done.runs and not done.left:
        click.echo("nothing to rebuild: every run in the files is on record", err=True)
        return
    sessions = [session for one in done.runs for session in one.run.sessions]
    runs = counted(len(done.runs), "run")
    click.echo(f"rebuilt {runs} with {counted(len(sessions), 'session')}")
    for one in done.runs[:_SHOWN]:
        states = ", ".join(f"{session.task} {session.state}" for session in one.run.sessions[:8])
        more = f" and {len(one.run.sessions) - 8} more" if len(one.run.sessions) > 8 else ""
        click.echo(f"  {one.run.id}: {figures.one_line(states)}{more}")
        for unknown in one.unknown:
            click.echo(f"    not known: {unknown}")
    if len(done.runs) > _SHOWN:
        click.echo(f"  and {len(done.runs) - _SHOWN:,} more; --json lists all")
    for unknown in done.unknown:
        click.echo(f"not rebuilt: {unknown}")
    for left in done.left:
        click.echo(f"not rebuilt: {left.name}: {left.why}", err=True)
        if left.hint:
            click.echo(f"hint: {left.hint}", err=True)
    if going := next((one.run for one in done.runs if not one.run.state.final), None):
        click.echo(f"hint: abreast watch {going.id} goes on with it", err=True)
    else:
        click.echo("hint: abreast status --all lists the runs", err=True)
