"""`abreast agents`, `mcp` and `worker`: this machine's agents and servers."""

import os
import sys
from dataclasses import replace

import click

from abreast.cli import as_json, door, options
from abreast.places import find_places
from abreast.process.environment import BROKER


@click.command()
@options.as_json
def agents(*, json: bool) -> int:
    """List agents: installation, login and capabilities

    Nothing is asked of any provider; the login is judged by files and variables alone. A version
    that is newer than all that abreast was tried with is used, an older one is refused.
    """
    from abreast.api import machine

    known, sandbox = machine.agents(), machine.sandbox()
    if json:
        as_json.emit({"agents": known, "sandbox": sandbox})
        return 0
    from abreast.cli.agents_table import print_agents

    print_agents(door.console(), known, sandbox)
    return 0


@click.command()
@options.as_json
def mcp(*, json: bool) -> int:
    """Serve the delegation tools over MCP (stdio)

    Started by Claude Code, Codex CLI or Gemini CLI, which `abreast connect` tells to. Standard
    input and output carry the protocol. Running children continue when the client leaves;
    their answers can be collected later. With --json it only prints what a client is told.
    """
    if json:
        from abreast.cli import as_json
        from abreast.mcp_server import words

        as_json.emit({"instructions": words.INSTRUCTIONS, "tools": list(words.TOOLS)})
        return 0
    if broker := os.environ.get(BROKER):
        from abreast.runner.broker_client import speak

        return speak(broker)
    from abreast.mcp_server.serve import serve

    if sys.stdin.isatty():
        click.echo(
            "this is for an agent's CLI: `abreast connect` tells it; Ctrl-C leaves", err=True
        )

    return serve()


@click.command()
@click.option(
    "--db",
    metavar="URL",
    default="",
    help="The database; without it $ABREAST_DB, or else the file of this machine",
)
@click.option(
    "--idle-exit",
    metavar="SECONDS",
    type=float,
    default=0.0,
    help="Exit after so long without work; without it never",
)
@click.option(
    "--take-over",
    is_flag=True,
    help="Also take over the runs of a machine or state folder that is gone for good",
)
@options.as_json
def worker(*, db: str, idle_exit: float, take_over: bool, json: bool) -> int:
    """Work through queued runs in the foreground

    `abreast run` starts a worker in the background where none is; this one is for machines that
    do nothing else. Ctrl-C leaves; running sessions continue and are adopted by the next worker.

    Where state folders or machines share a PostgreSQL database, one at a time has a worker on it;
    the lease of a machine that died ends after a minute. With --take-over its runs become ours:
    what was at work there ends as failed, to be run again; its uncommitted work stays there.
    """
    from abreast.engine.working.worker import main

    places = find_places()
    if db:
        places = replace(places, database=db)
    code = main(places, idle_exit or None, take_over=take_over)
    if json:
        as_json.emit({"exit_code": code})
    return code
