"""`abreast tell`: send a message to a running session."""

import click

from abreast.cli import as_json, door, options


@click.command()
@options.session_name
@click.argument("text", help="The message")
@click.option(
    "--wait",
    metavar="SECONDS",
    type=click.FloatRange(min=0),
    default=10.0,
    show_default=True,
    help="How long to wait until it has received the message",
)
@options.as_json
def tell(*, session: str, text: str, wait: float, json: bool) -> int:
    """Send a message to a running session

    The session receives it after its next tool call or, if it makes none, at the end of its turn,
    and then continues. The command prints which. It interrupts nothing.
    """
    from abreast.api import delegations

    with door.console(stderr=True).status("waiting until it is received", spinner="line"):
        told = delegations.tell(session, text, patience=wait)
    if json:
        as_json.emit({"told": told})
    elif told.heard:
        click.echo(f"{told.session} has received it {told.heard}")
    else:
        click.echo(f"{told.session} will receive it {told.waits_for}")
    return 0
