"""`abreast connect`, and how changes in a CLI's own files are shown, asked for and told of."""

import sys
from collections.abc import Callable
from functools import partial

import click

from abreast.agents import connectable
from abreast.cli import as_json, options
from abreast.cli.figures import harmless
from abreast.model.connection import Connection, Scope


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


@click.command()
@click.argument(
    "agent",
    metavar="|".join(connectable()),
    type=click.Choice(connectable()),
    help="Which CLI to change",
)
@click.option(
    "--scope",
    type=options.OneOf(Scope),
    default="user",
    help="Your own configuration, or that of the repository around the current folder",
)
@click.option("--remove", is_flag=True, help="Undo it")
@click.option("--yes", is_flag=True, help="Do not ask")
@options.as_json
def connect(*, agent: str, scope: Scope, remove: bool, yes: bool, json: bool) -> int:
    """Register the delegation tools in an agent's own CLI

    Shows what would change in that CLI's configuration, and asks. It adds the MCP server and a
    short skill that says when to delegate. Your layout and comments stay; --remove undoes it
    exactly.
    """
    from abreast.api import connecting

    call = partial(connecting.connect, agent, scope=scope, remove=remove)
    return change(call, _told, yes=yes, json=json)


def _told(connection: Connection) -> str:
    state = "no longer connected" if connection.remove else "connected"
    then = f"its next session {'is without' if connection.remove else 'has'} the tools"
    if not connection.applied:
        state = "not connected" if connection.remove else "connected already"
        then = "nothing to change"
    return f"{connection.agent} is {state} ({connection.scope}); {then}"
