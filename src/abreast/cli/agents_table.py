"""The agents on a terminal: one row for each, and what is to be known of it."""

import click
from rich.console import Console
from rich.text import Text

from abreast.agents.base import Login, LoginState, Relied
from abreast.agents.parts import VersionStatus
from abreast.api.machine import AgentEnvironment, AgentInfo
from abreast.cli.console import Column, Grid
from abreast.engine.common.bubblewrap import Bubblewrap
from abreast.faces.figures import one_line

_ABLE = {  # a column's heading, and the capability that it tells of
    "resume": "resume",
    "open": "interactive",
    "model": "model",
    "tokens": "usage",
    "cost": "cost",
    "schema": "structured_output",
}


def print_agents(console: Console, known: list[AgentInfo], sandbox: Bubblewrap) -> None:
    """Print one row for each agent, under them where each is or how to get it, and the sandbox."""
    rows = [
        (
            Text(info.name),
            Text(one_line(info.version) or "-"),
            _standing(info.standing),
            _login(info.login if info.path else None),
            *(Text("yes" if getattr(info.capabilities, name) else "-") for name in _ABLE.values()),
        )
        for info in known
    ]
    headings = ("agent", "version", "tried", "login", *_ABLE)
    console.print(Grid([*map(Column, headings)], rows))
    for info in known:
        console.print(Text(f"\n{info.name}"))
        for note in notes_on(info):
            # A path is there to be copied: leave it to the terminal to wrap it.
            console.print(Text(f"  {note}"), soft_wrap=note.startswith("/"))

    console.print(Text("\nsandbox"))
    for line in _sandbox(sandbox):
        console.print(Text(f"  {line}"))


def _sandbox(found: Bubblewrap) -> list[str]:
    """Return in words what confines sessions here."""
    if found.program:
        return [f"{one_line(found.program)}: sessions run inside it"]
    said = [f"none: {one_line(found.why)}"]
    return [*said, f"hint: {one_line(found.hint)}"] if found.hint else said


def print_environment(given: AgentEnvironment) -> None:
    """Print a line for each variable that an agent would get, and the names of all others."""
    for one in given.variables:
        mark = "+" if one.added else " "
        click.echo(f"{mark} {one_line(one.name)}={one_line(one.value)[:_LONGEST]}")
    if any(one.added for one in given.variables):
        click.echo("\n+ is set by abreast for the session")
    if given.withheld:
        click.echo(f"\nnot passed on: {one_line(', '.join(given.withheld))[:_LONGEST]}")
        click.echo('a plan passes more by name: pass_env = ["NAME"]')


_LONGEST = 4000  # characters


def notes_on(info: AgentInfo) -> list[str]:
    """Return in words where an agent is, how it is logged in, and what is missing."""
    if not info.path:
        return [f"not installed; {one_line(info.install_hint)}"]
    said = [
        ("", str(info.path)),
        ("versions: ", _versions(info)),
        ("login: ", info.login.detail if info.login else ""),
        ("hint: ", (info.login.hint or "") if info.login else ""),
        ("writes: ", info.capabilities.confined_writes),
        *(("uses: ", _relied(one)) for one in info.relies_on if one.note),
    ]
    return [f"{word}{one_line(text)}" for word, text in said if text]


def _relied(one: Relied) -> str:
    return f"{one.name} {one.path}: {one.note}" if one.path else f"no {one.name}: {one.note}"


def _versions(info: AgentInfo) -> str:
    """Return which versions abreast was tried with, and what that means for the installed one."""
    if info.certified is None:
        return ""
    told = f"tried with {info.certified}"
    match info.standing:
        case VersionStatus.TOO_OLD:
            return f"{told}; this one is older and is not used: {info.install_hint}"
        case VersionStatus.UNTRIED if info.version:
            return f"{told}; this one is newer: it is used, and may behave in other ways"
        case VersionStatus.UNTRIED:
            return f"{told}; this one does not say which it is"
    return told


def _standing(standing: VersionStatus | None) -> Text:
    words = {
        VersionStatus.TRIED: Text("yes", "green"),
        VersionStatus.UNTRIED: Text("no", "yellow"),
        VersionStatus.TOO_OLD: Text("too old", "red"),
    }
    return words[standing] if standing else Text("-")


def _login(login: Login | None) -> Text:
    styles = {LoginState.READY: "green", LoginState.MISSING: "red", LoginState.UNKNOWN: "yellow"}
    return Text(login.state, styles.get(login.state, "")) if login else Text("-")
