"""`abreast connect`: the delegation tools in a CLI's own configuration."""

from functools import partial

import click

from abreast.agents import connectable
from abreast.cli import options
from abreast.cli.confirmed import change
from abreast.model.changes import Connection, Scope


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
