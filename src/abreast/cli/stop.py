"""`abreast stop`: end sessions, keep their work."""

import click

from abreast.cli import as_json, options


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
        run = stopped[0].run
        click.echo(f"what they did is kept; abreast resume {run} goes on", err=True)
    else:
        click.echo("nothing was running", err=True)
    return 0
