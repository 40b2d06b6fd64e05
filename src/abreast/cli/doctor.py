"""`abreast doctor`: what is wrong with how work was split, and with what it left behind."""

import time
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from abreast.cli import options
from abreast.model.finding import Diagnosis, Evidence, Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console
    from rich.text import Text

_UNITS = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_STYLES = {Severity.INFO: "cyan", Severity.WARNING: "yellow", Severity.SEVERE: "bold red"}
_SHOWN = 3  # of a finding's evidence, and of the warnings


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
            self.fail(f"{value!r} is no span of time: write 7d, 12h or 2w", param, ctx)
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
    type=click.Choice([one.value for one in Severity]),
    default=Severity.WARNING.value,
    show_default=True,
    help="Exit with 1 when something at least this bad is found",
)
@options.repo
@options.as_json
def doctor(*, since: float, fail_on: str, repo: Any, json: bool) -> int:
    """Find what hurts: how work was split, and what it left behind

    Reads the transcripts of Claude Code, Codex and Gemini CLI, whoever started the session, the
    runs of abreast, and their repositories. Each finding has its evidence, why it hurts, and the
    fix, most costly first. Nothing is changed, and nothing leaves this machine.
    """
    from abreast import api
    from abreast.cli import as_json

    found = api.doctor(since=time.time() - since, repo=repo)
    if json:
        as_json.emit(as_json.diagnosis_dict(found))
    else:
        _print(found)
    return int(bool(found.at_least(Severity(fail_on))))


def _print(found: Diagnosis) -> None:
    from abreast.cli import door

    console = door.console()
    for finding in found.findings:
        for line in lines_of(finding, console):
            # Commands are longer than the line: they are there to be copied.
            console.print(line, no_wrap=True, overflow="ignore", crop=False)
        console.print()
    console.print(closing(found))
    for warning in found.warnings[:_SHOWN]:
        click.echo(f"note: {_line(warning)}", err=True)
    more = len(found.warnings) - _SHOWN
    if more > 0:
        click.echo(f"note: and {more} more of what may be missing; --json lists all", err=True)


def lines_of(finding: Finding, console: "Console") -> "Iterator[Text]":
    """Yield the lines of one finding: its title, its evidence, why it hurts, and the fix."""
    from rich.text import Text

    yield Text(finding.title, "bold")
    cost = f", {finding.cost_tokens:,} tokens" if finding.cost_tokens else ""
    rank = (f"  {finding.severity}", _STYLES[finding.severity])
    yield Text.assemble(rank, cost, (f"  {finding.id}", "dim"))
    for one in finding.evidence[:_SHOWN]:
        yield from _wrapped("  ", _evidence(one), console)
        if one.command:
            yield Text(f"    {_line(one.command)}", "green")
    more = len(finding.evidence) - _SHOWN
    if more > 0:
        yield Text(f"  and {more} more; --json lists all", "dim")
    for label, words in (("why", finding.why), ("fix", finding.fix)):
        yield from _wrapped(f"  {label} ", Text(words), console)


def _wrapped(label: str, text: "Text", console: "Console") -> "Iterator[Text]":
    """Yield the lines of a text behind its label, which the others keep clear of."""
    from rich.text import Text

    lead = label
    for line in text.wrap(console, max(20, console.width - len(label))):
        line.rstrip()
        yield Text.assemble((lead, "dim"), line)
        lead = " " * len(label)


def closing(found: Diagnosis) -> "Text":
    """Return the last line: how much was found, and in what; the only one when all is well."""
    from rich.text import Text

    from abreast.cli.figures import counted

    tally = Counter(one.severity for one in found.findings)
    bad = ", ".join(f"{tally[one]} {one}" for one in reversed(Severity) if tally[one])
    looked = [counted(found.sessions, "session")]
    if found.children:
        looked += [f"{found.children} {'child' if found.children == 1 else 'children'}"]
    looked += [counted(found.runs, "run")] if found.runs else []
    day = datetime.fromtimestamp(found.since).astimezone()
    what = f"{counted(len(found.findings), 'finding')} ({bad})" if bad else "all is well"
    return Text(f"{what} in {', '.join(looked)} since {day:%Y-%m-%d}")


def _evidence(one: Evidence) -> "Text":
    """Return what was seen, behind the session, the time and the line where it was."""
    from rich.text import Text

    session = _line(one.session)
    short = session if "/" in session else session[:13]  # a CLI's own ids are long
    when = f"{datetime.fromtimestamp(one.at).astimezone():%m-%d %H:%M}" if one.at else ""
    text = Text()
    if session:
        line = f"line {one.line}" if one.line else ""
        where = filter(None, (f"{one.agent} {short}".strip(), when, line))
        text.append(", ".join(where) + ": ", "dim")
    text.append(_line(one.text))
    return text


def _line(text: str) -> str:
    from abreast.cli.figures import one_line

    return one_line(text)
