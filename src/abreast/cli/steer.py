"""`abreast tell`, `stop`, `resume` and `retry`: steer what was begun."""

import os
from pathlib import Path

import click

from abreast.cli import as_json, door, options
from abreast.model.session import SessionState
from abreast.process.environment import BROKER, CONFINED, SESSION


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
    """Send a message to a session

    A session that has ended goes on with it, in the same conversation, unless it has landed. One
    that runs receives it after its next tool call or, if it makes none, at the end of its turn,
    and then continues. The command prints which. It interrupts nothing.
    """
    if broker := os.environ.get(BROKER):
        from abreast.runner import broker_client

        return broker_client.tell(broker, session, text, wait=wait, json=json)
    from abreast.api import delegations

    with door.console(stderr=True).status("waiting until it is received", spinner="line"):
        sender = os.environ.get(SESSION, "")  # an agent has a shell, too
        if os.environ.get(CONFINED):
            from abreast.mcp_server.caller import caller_of, check_tell

            check_tell(session, caller_of(""), Path.cwd())
        told = delegations.tell(session, text, sender=sender, patience=wait)
    if json:
        as_json.emit({"told": told})
    else:
        click.echo(told.in_words())
    return 0


@click.command()
@options.any_name
@options.as_json
def stop(*, name: str, json: bool) -> int:
    """Stop a run or a session, and keep what it did

    Returns when none of their processes is left. What was not committed is kept under a ref, and
    `abreast resume` continues from there.
    """
    from abreast.api import running

    stopped = running.stop(name)
    if json:
        as_json.emit({"sessions": [as_json.session_dict(session) for session in stopped]})
        return 0
    for session in stopped:
        click.echo(f"{session.id}: {session.state}")
    if stopped:
        landing = all(one.commit and one.state is SessionState.DONE for one in stopped)
        again = f"abreast land {stopped[0].run}" if landing else stopped[0].goes_on_by
        click.echo(f"what they did is kept; {again} goes on", err=True)
    else:
        click.echo("nothing was running", err=True)
    return 0


@click.command()
@click.argument(
    "name",
    metavar="[RUN|SESSION]",
    required=False,
    default="",
    shell_complete=options.complete_any,
    help="What to continue; without it the newest run",
)
@click.option("--message", "-m", metavar="TEXT", default="", help="Continue a session with this")
@options.as_json
def resume(*, name: str, message: str, json: bool) -> int:
    """Continue a run or a session where it stopped

    Sessions that are not done are queued again, each in its own worktree and, where its CLI can,
    in the same conversation; so are those whose processes died with the machine. With --message
    that one session goes on with it, also if it was done and has not landed. The exit code is 0
    only if every task is done.
    """
    from abreast.api import running
    from abreast.cli.live import follow

    return follow(running.resume(name, message), json=json)


@click.command()
@options.session_name
@click.option("--base", metavar="REV", default="", help="What to start from; else the target, now")
@options.as_json
def retry(*, session: str, base: str, json: bool) -> int:
    """Run one session again, on the target as it is now

    The work of its earlier attempt is kept under a ref. The exit code is 0 only if every task of
    its run is done.
    """
    from abreast.api import running
    from abreast.cli.live import follow

    return follow(running.retry(session, base=base), json=json)
