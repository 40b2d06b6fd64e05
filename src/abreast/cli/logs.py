"""`abreast logs`: what a session did."""

import time
from collections.abc import Iterable
from dataclasses import asdict

import click

from abreast.cli import as_json, door, options
from abreast.cli.figures import harmless
from abreast.model.session import LogEvent


@click.command()
@options.session_name
@click.option("--follow", "-f", is_flag=True, help="Continue until the session ends")
@click.option("--stream", is_flag=True, help="Print the unchanged output of the agent's CLI")
@options.as_json
def logs(*, session: str, follow: bool, stream: bool, json: bool) -> int:
    """Print what a session did, step by step

    With --json, every line is a JSON document of its own.
    """
    from abreast.api import stories

    if stream and json:
        raise click.UsageError("--stream prints the CLI's own format; leave out --json")
    if stream:
        for line in stories.stream(session, follow=follow):
            door.send(line)
        return 0
    _print(stories.logs(session, follow=follow), json=json)
    return 0


def _print(events: Iterable[LogEvent], *, json: bool) -> None:
    for event in events:
        if json:
            as_json.emit(asdict(event), lines=True)
        else:
            click.echo(story_line(event))


def story_line(event: LogEvent) -> str:
    """Return an event with its local time; further lines of its text are indented."""
    at = time.strftime("%H:%M:%S", time.localtime(event.at))
    text = harmless(event.text).strip().replace("\n", "\n" + " " * 21)
    return f"{at}  {event.kind:<9}  {text}".rstrip()
