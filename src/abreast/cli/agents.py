"""`abreast agents`: who could do the work."""

import click

from abreast.cli import as_json, door, options


@click.command()
@options.as_json
def agents(*, json: bool) -> int:
    """List agents: installation, login and capabilities

    Nothing is asked of any provider; the login is judged by files and variables alone. A version
    that is newer than all that abreast was tried with is used, an older one is refused.
    """
    from abreast.api import machine

    known = machine.agents()
    if json:
        as_json.emit({"agents": [as_json.agent_dict(info) for info in known]})
        return 0
    from abreast.cli.agents_table import print_agents

    print_agents(door.console(), known)
    return 0
