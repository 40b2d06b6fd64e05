"""`abreast ledger`: what sessions have used, and what delegation and parallel work saved."""

import click

from abreast.agents import recording, titles
from abreast.cli import as_json, door, options
from abreast.faces import figures
from abreast.model.economy import By, Ledger
from abreast.model.text import counted, either


@click.command()
@click.option(
    "--since", metavar="DATE|7d", default="", help="Start at a date, or 12h, 7d or 2w ago"
)
@click.option("--by", type=options.OneOf(By), default="day", help="What each row shows")
@options.as_json
def ledger(*, since: str, by: By, json: bool) -> int:
    """Show what sessions have used, and what delegating saved

    Every transcript of Claude Code, Codex and Gemini CLI counts, also of sessions begun by hand.
    Nothing is fetched. A cost with ~ is an estimate by public price lists.
    """
    from abreast.api import accounting

    found = accounting.ledger(since=since, by=by)
    if json:
        as_json.emit(found)
        return 0
    if found.rows:
        from abreast.cli import ledger_table

        door.console().print(ledger_table.whole(found))
    else:
        click.echo(_nothing(found), err=True)
    if found.told:
        click.echo(f"{counted(found.told, 'note')} of sessions to other sessions", err=True)
    for note in found.notes:
        click.echo(f"note: {figures.one_line(note)}", err=True)
    return 0


def _nothing(found: Ledger) -> str:
    if found.since:
        return f"no session has used anything since {figures.moment(found.since)}"
    return f"there is no record of a session of {either(titles(recording()))}"
