"""`abreast doctor`: what is wrong with how work was split, and with what it left behind."""

import time
from typing import Any

import click

from abreast.cli import as_json, door, options
from abreast.model.finding import Severity

_UNITS = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}


class Span(click.ParamType[float]):
    """A time ago, such as `7d`: its value is in seconds."""

    name = "span"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        if isinstance(value, float):
            return value
        number, unit = str(value)[:-1], str(value)[-1:]
        if unit not in _UNITS or not number.isdecimal() or len(number) > 5:
            self.fail(f"{value!r} is not a span of time: write 7d, 12h or 2w", param, ctx)
        return float(int(number) * _UNITS[unit])


@click.command()
@click.option(
    "--since",
    metavar="SPAN",
    type=Span(),
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

    found = examining.doctor(since=time.time() - since, repo=repo)
    if json:
        as_json.emit(found)
    else:
        from abreast.cli.findings import print_findings

        print_findings(door.console(), found)
    return int(bool(found.at_least(fail_on)))
