"""`abreast agents`: who could do the work."""

from typing import TYPE_CHECKING

import click

from abreast.cli import options

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

    from abreast.agents.base import Capabilities, Login
    from abreast.api import AgentInfo


@click.command()
@options.as_json
def agents(*, json: bool) -> int:
    """List agents: installed, logged in, able to do what

    Nothing is asked of any provider; the login is judged by files and variables alone.
    """
    from abreast import api
    from abreast.cli import as_json

    known = api.agents()
    if json:
        as_json.emit({"agents": [as_json.agent_dict(info) for info in known]})
        return 0
    from rich.console import Console

    Console(highlight=False).print(agents_table(known))
    return 0


def agents_table(known: "list[AgentInfo]") -> "RenderableType":
    """Return one row for each agent, and under them what would help those that cannot start."""
    from rich.console import Group, RenderableType
    from rich.text import Text

    from abreast.cli.figures import one_line
    from abreast.cli.grid import Column, Grid

    grid = Grid(
        (
            Column("agent"),
            Column("version"),
            Column("login", least=8),
            Column("can", least=12),
            Column("path", least=12),
        )
    )
    hints: list[RenderableType] = []
    for info in known:
        login, path = info.login, info.path
        said = login_text(login) if login and path else Text("-")
        grid.rows.append(
            (
                Text(info.name),
                Text(one_line(info.version) or "-"),
                said,
                Text(", ".join(abilities(info.capabilities))),
                Text(str(path)) if path else Text("not installed", "dim"),
            )
        )
        hint = info.install_hint if not path else login.hint if login else None
        if hint:
            hints.append(Text(f"{info.name}: {one_line(hint)}", overflow="fold"))
    return Group(grid, *([Text(), *hints] if hints else []))


def login_text(login: "Login") -> "Text":
    """Return the login state, and in brackets what it is judged by."""
    from rich.text import Text

    from abreast.agents.base import LoginState
    from abreast.cli.figures import one_line

    styles = {LoginState.READY: "green", LoginState.MISSING: "red", LoginState.UNKNOWN: "yellow"}
    text = Text(login.state, styles.get(login.state, ""))
    return text.append(f" ({one_line(login.detail)})", "none") if login.detail else text


def abilities(capabilities: "Capabilities") -> list[str]:
    """Return in words what an agent can do."""
    words = {
        "resume": capabilities.resume,
        "interactive": capabilities.interactive,
        "model": capabilities.model,
        "tokens": capabilities.usage,
        "cost": capabilities.cost,
        "schema": capabilities.structured_output,
    }
    return [word for word, able in words.items() if able]
