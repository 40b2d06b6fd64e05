"""`abreast doctor`: what is wrong with how work was split, and with what it left behind."""

from typing import Any

import click

from abreast.cli import as_json, door, options
from abreast.model.finding import Severity
from abreast.process import clock


@click.command()
@click.option(
    "--since",
    metavar="SPAN",
    type=options.Span(),
    default="7d",
    show_default=True,
    help="How far back to look at sessions: 12h, 7d, 2w",
)
@click.option(
    "--fail-on",
    type=options.OneOf(Severity),
    default=Severity.WARNING.value,
    show_default=True,
    help="Exit with 1 if a finding is at least this severe",
)
@options.repo
@options.as_json
def doctor(*, since: float, fail_on: Severity, repo: Any, json: bool) -> int:
    """Find problems in how work was split, and leftovers

    Reads the transcripts of Claude Code, Codex and Gemini CLI, whoever started the session, the
    runs of abreast, and their repositories. Each finding has its evidence, why it hurts, and the
    fix, most costly first. Nothing is changed, and nothing leaves this machine.
    """
    from abreast.api import examining

    found = examining.doctor(since=clock.wall() - since, repo=repo)
    if json:
        as_json.emit(found)
    else:
        from abreast.cli.findings import print_findings

        print_findings(door.console(), found)
    return int(bool(found.at_least(fail_on)))
