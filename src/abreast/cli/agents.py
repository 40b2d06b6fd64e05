"""`abreast agents`: who could do the work."""

from typing import TYPE_CHECKING

import click

from abreast.cli import options

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from abreast.agents.base import Login, Relied
    from abreast.agents.versions import VersionStatus
    from abreast.api import AgentInfo


@click.command()
@options.as_json
def agents(*, json: bool) -> int:
    """List agents: installed, logged in, able to do what

    Nothing is asked of any provider; the login is judged by files and variables alone. A version
    that is newer than all that abreast was tried with is used, an older one is refused.
    """
    from abreast import api
    from abreast.cli import as_json, door

    known = api.agents()
    if json:
        as_json.emit({"agents": [as_json.agent_dict(info) for info in known]})
        return 0
    print_agents(door.console(), known)
    return 0


def print_agents(console: "Console", known: "list[AgentInfo]") -> None:
    """Print one row for each agent, and under them where each is or how to get it."""
    from rich.text import Text

    from abreast.cli.figures import one_line
    from abreast.cli.grid import Column, Grid

    able = ("resume", "open", "model", "tokens", "cost", "schema")
    grid = Grid(
        (Column("agent"), Column("version"), Column("tried"), Column("login"), *map(Column, able))
    )
    for info in known:
        can = info.capabilities
        abilities = (
            *(can.resume, can.interactive, can.model, can.usage, can.cost),
            can.structured_output,
        )
        grid.rows.append(
            (
                Text(info.name),
                Text(one_line(info.version) or "-"),
                _standing(info.standing),
                _login(info.login if info.path else None),
                *(Text("yes" if ability else "-") for ability in abilities),
            )
        )
    console.print(grid)
    for info in known:
        console.print(Text(f"\n{info.name}"))
        for note in notes_on(info):
            # A path is there to be copied: leave it to the terminal to wrap it.
            console.print(Text(f"  {note}"), soft_wrap=note.startswith("/"))


def notes_on(info: "AgentInfo") -> list[str]:
    """Return in words where an agent is, how it is logged in, and what is missing."""
    from abreast.cli.figures import one_line

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


def _relied(one: "Relied") -> str:
    return f"{one.name} {one.path}: {one.note}" if one.path else f"no {one.name}: {one.note}"


def _versions(info: "AgentInfo") -> str:
    """Say what abreast was tried with, and what that means for the version that is here."""
    from abreast.agents.versions import VersionStatus

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


def _standing(standing: "VersionStatus | None") -> "Text":
    from rich.text import Text

    from abreast.agents.versions import VersionStatus

    words = {
        VersionStatus.TRIED: Text("yes", "green"),
        VersionStatus.UNTRIED: Text("no", "yellow"),
        VersionStatus.TOO_OLD: Text("too old", "red"),
    }
    return words[standing] if standing else Text("-")


def _login(login: "Login | None") -> "Text":
    from rich.text import Text

    from abreast.agents.base import LoginState

    styles = {LoginState.READY: "green", LoginState.MISSING: "red", LoginState.UNKNOWN: "yellow"}
    return Text(login.state, styles.get(login.state, "")) if login else Text("-")
