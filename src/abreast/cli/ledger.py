"""`abreast ledger`: what sessions have used, and what delegation and parallel work saved."""

from dataclasses import asdict
from typing import Any

import click

from abreast.agents import recording, titles
from abreast.cli import as_json, door, figures, options
from abreast.model.ledger import By, Delegation, Ledger, LedgerRow, Parallel
from abreast.model.words import either


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
        as_json.emit(ledger_dict(found))
        return 0
    if found.rows:
        from abreast.cli import ledger_table

        door.console().print(ledger_table.whole(found))
    else:
        click.echo(_nothing(found), err=True)
    for note in found.notes:
        click.echo(f"note: {figures.one_line(note)}", err=True)
    return 0


def _nothing(found: Ledger) -> str:
    if found.since:
        return f"no session has used anything since {figures.moment(found.since)}"
    return f"there is no record of a session of {either(titles(recording()))}"


def ledger_dict(found: Ledger) -> dict[str, Any]:
    """Return a ledger with what is derived in it."""
    return {
        "by": found.by,
        "since": found.since or None,
        "prices": found.prices,
        "rows": [_row(one) for one in found.rows],
        "total": _row(found.total),
        "delegations": [_delegation(one) for one in found.delegations],
        "runs": [_parallel(one) for one in found.runs],
        "notes": list(found.notes),
    }


def _row(row: LedgerRow) -> dict[str, Any]:
    cost = asdict(row.cost) | {"usd": row.cost.usd}
    return asdict(row) | {"cost": cost, "begun": row.begun or None}


def _delegation(one: Delegation) -> dict[str, Any]:
    return asdict(one) | {"net": one.net, "worth": one.worth}


def _parallel(one: Parallel) -> dict[str, Any]:
    return asdict(one) | {"gained": one.gained}
