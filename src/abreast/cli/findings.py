"""What the doctor has found, on a terminal."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

import click
from rich.console import Console
from rich.text import Text

from abreast.faces.figures import counted, one_line
from abreast.model.finding import Diagnosis, Evidence, Finding, Severity

_STYLES = {Severity.INFO: "cyan", Severity.WARNING: "yellow", Severity.SEVERE: "bold red"}
_SHOWN = 3  # of a finding's evidence, and of the warnings


def print_findings(console: Console, found: Diagnosis) -> None:
    """Print the findings, how many there are, and on standard error what may be missing."""
    for finding in found.findings:
        for line in lines_of(finding, console):
            # Commands are longer than the line: they are there to be copied.
            console.print(line, no_wrap=True, overflow="ignore", crop=False)
        console.print()
    console.print(closing(found))
    for warning in found.warnings[:_SHOWN]:
        click.echo(f"note: {one_line(warning)}", err=True)
    more = len(found.warnings) - _SHOWN
    if more > 0:
        click.echo(f"note: and {more} more of what may be missing; --json lists all", err=True)


def lines_of(finding: Finding, console: Console) -> Iterator[Text]:
    """Yield the lines of one finding: its title, its evidence, why it hurts, and the fix."""
    yield Text(finding.title, "bold")
    cost = f", {finding.cost_tokens:,} tokens" if finding.cost_tokens else ""
    rank = (f"  {finding.severity}", _STYLES[finding.severity])
    yield Text.assemble(rank, cost, (f"  {finding.id}", "dim"))
    for one in finding.evidence[:_SHOWN]:
        yield from _wrapped("  ", _evidence(one), console)
        if one.command:
            yield Text(f"    {one_line(one.command)}", "green")
    more = len(finding.evidence) - _SHOWN
    if more > 0:
        yield Text(f"  and {more} more; --json lists all", "dim")
    for label, words in (("why", finding.why), ("fix", finding.fix)):
        yield from _wrapped(f"  {label} ", Text(words), console)


def _wrapped(label: str, text: Text, console: Console) -> Iterator[Text]:
    """Yield the lines of a text; the first starts with the label, the others are indented."""
    lead = label
    for line in text.wrap(console, max(20, console.width - len(label))):
        line.rstrip()
        yield Text.assemble((lead, "dim"), line)
        lead = " " * len(label)


def closing(found: Diagnosis) -> Text:
    """Return the last line: how much was found, and in what; the only one when all is well."""
    tally = Counter(one.severity for one in found.findings)
    bad = ", ".join(f"{tally[one]} {one}" for one in reversed(Severity) if tally[one])
    looked = [counted(found.sessions, "session")]
    if found.children:
        looked += [f"{found.children} {'child' if found.children == 1 else 'children'}"]
    looked += [counted(found.runs, "run")] if found.runs else []
    day = datetime.fromtimestamp(found.since).astimezone()
    what = f"{counted(len(found.findings), 'finding')} ({bad})" if bad else "all is well"
    return Text(f"{what} in {', '.join(looked)} since {day:%Y-%m-%d}")


def _evidence(one: Evidence) -> Text:
    """Return what was seen, behind the session, the time and the line where it was."""
    session = one_line(one.session)
    short = session if "/" in session else session[:13]  # a CLI's own ids are long
    when = f"{datetime.fromtimestamp(one.at).astimezone():%m-%d %H:%M}" if one.at else ""
    text = Text()
    if session:
        line = f"line {one.line}" if one.line else ""
        where = filter(None, (f"{one.agent} {short}".strip(), when, line))
        text.append(", ".join(where) + ": ", "dim")
    text.append(one_line(one.text))
    return text
