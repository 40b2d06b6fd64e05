"""Changes in a CLI's own files: shown, asked for, and told of; `connect` and the hook share it."""

import sys
from collections.abc import Callable

import click

from abreast.cli import as_json
from abreast.faces.figures import harmless
from abreast.model.changes import Connection


def change(
    call: Callable[..., Connection], told: Callable[[Connection], str], *, yes: bool, json: bool
) -> int:
    """Have `call` change files once a person, or `yes`, says so, and return the exit code.

    `told` says in words how it stands then.
    """

    def confirm(asked: Connection) -> bool:
        if json:
            return yes
        for one in asked.changes:
            click.echo(harmless(one.diff), nl=False)
        return yes or _ask(asked)

    found = call(confirm=confirm)
    if json:
        as_json.emit(found)
    if found.changes and not found.applied:
        hint = "" if yes else "; `--yes` does it without asking"
        click.echo(f"nothing was changed{hint}", err=True)
        return 1
    if not json:
        click.echo(told(found), err=True)
        for note in found.notes:
            click.echo(harmless(f"note: {note}"), err=True)
    return 0


def _ask(connection: Connection) -> bool:
    """Ask a person at a terminal; False when nobody is there."""
    if not sys.stdin.isatty():
        return False
    where = "the files of this checkout" if connection.scope == "project" else "your files"
    return click.confirm(f"Change {where} so?", err=True)
