"""`abreast tell`: say something to a session that is at work."""

import click

from abreast.cli import as_json, door, options


@click.command()
@options.session_name
@click.argument("text", help="What to say")
@click.option(
    "--wait",
    metavar="SECONDS",
    type=click.FloatRange(min=0),
    default=10.0,
    show_default=True,
    help="How long to wait until it has heard",
)
@options.as_json
def tell(*, session: str, text: str, wait: float, json: bool) -> int:
    """Say something to a session that is at work

    It hears you after its next tool call; when it makes none, at the end of its turn, and then it
    goes on for you. This command says which. Nothing is interrupted.
    """
    from abreast.api import delegations

    with door.console(stderr=True).status("waiting until it has heard", spinner="line"):
        told = delegations.tell(session, text, patience=wait)
    if json:
        as_json.emit({"told": told})
    elif told.heard:
        click.echo(f"{told.session} has heard it {told.heard}")
    else:
        click.echo(f"{told.session} will hear it {told.waits_for}")
    return 0
