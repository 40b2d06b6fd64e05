"""`abreast connect`: the delegation tools in a CLI's own configuration."""

from typing import TYPE_CHECKING

import click

from abreast.agents import connectable
from abreast.cli import options

if TYPE_CHECKING:
    from abreast.model.connection import Connection


@click.command()
@click.argument(
    "agent",
    metavar="|".join(connectable()),
    type=click.Choice(connectable()),
    help="Which CLI to tell",
)
@click.option(
    "--scope",
    type=click.Choice(("user", "project")),
    default="user",
    help="Your own configuration, or that of the repository around the current folder",
)
@click.option("--remove", is_flag=True, help="Undo it")
@click.option("--yes", is_flag=True, help="Do not ask")
@options.as_json
def connect(*, agent: str, scope: str, remove: bool, yes: bool, json: bool) -> int:
    """Register the delegation tools in an agent's own CLI

    Shows what would change in that CLI's configuration, and asks. It adds the MCP server and a
    short skill that says when to delegate. Your layout and comments stay; --remove undoes it
    exactly.
    """
    from abreast import api
    from abreast.cli import as_json

    def confirm(asked: "Connection") -> bool:
        if not json:
            show(asked)
        return yes or (not json and ask(asked))

    connection = api.connect(agent, scope=scope, remove=remove, confirm=confirm)
    if json:
        as_json.emit(as_json.connection_dict(connection))
    if not connection.changes:
        _say(connection, "is not connected" if remove else "is connected already", json=json)
        return 0
    if not connection.applied:
        hint = "" if yes else "; `--yes` does it without asking"
        click.echo(f"nothing was changed{hint}", err=True)
        return 1
    _say(connection, "is no longer connected" if remove else "is connected", json=json)
    return 0


def show(connection: "Connection") -> None:
    """Print what would change."""
    from abreast.cli.figures import harmless

    for change in connection.changes:
        click.echo(harmless(change.diff), nl=False)


def ask(connection: "Connection") -> bool:
    """Ask a person at a terminal; False when nobody is there."""
    import sys

    if not sys.stdin.isatty():
        return False
    where = "the files of this checkout" if connection.scope == "project" else "your files"
    return click.confirm(f"Change {where} so?", err=True)


def _say(connection: "Connection", what: str, *, json: bool) -> None:
    from abreast.cli.figures import harmless

    if json:
        return
    has = "is without" if connection.remove else "has"
    after = f"its next session {has} the tools"
    then = after if connection.applied else "nothing to change"
    click.echo(f"{connection.agent} {what} ({connection.scope}); {then}", err=True)
    for note in connection.notes:
        click.echo(harmless(f"note: {note}"), err=True)
