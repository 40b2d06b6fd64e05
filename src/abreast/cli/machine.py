"""`abreast agents`, `mcp` and `worker`: this machine's agents and servers."""

import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from abreast.cli import as_json, door, options
from abreast.places import Places, find_places

if TYPE_CHECKING:
    from abreast.model.changes import Confirm, Connection
from abreast.process.environment import BROKER


@click.command()
@click.option(
    "--env",
    metavar="AGENT",
    default="",
    shell_complete=options.complete_agent,
    help="Show the variables that this agent would get, secrets masked",
)
@click.option("--values", is_flag=True, help="With --env: show secrets as they are")
@options.as_json
def agents(*, env: str, values: bool, json: bool) -> int:
    """List agents: installation, login and capabilities

    Nothing is asked of any provider; the login is judged by files and variables alone. A version
    that is newer than all that abreast was tried with is used, an older one is refused.
    """
    from abreast.api import machine

    if values and not env:
        raise click.UsageError("--values goes with --env")
    if env:
        given = machine.agent_environment(env, environ=os.environ if values else None)
        if json:
            as_json.emit(given)
            return 0
        from abreast.cli.agents_table import print_environment

        print_environment(given)
        return 0
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
@click.argument(
    "action",
    metavar="[enable|disable|status]",
    type=click.Choice(("enable", "disable", "status")),
    required=False,
    help="Have it start with the machine, undo that, or show how it stands",
)
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
@click.option("--yes", is_flag=True, help="Do not ask before files change")
@options.as_json
def worker(
    *, action: str | None, db: str, idle_exit: float, take_over: bool, yes: bool, json: bool
) -> int:
    """Work through queued runs in the foreground

    `abreast run` starts a worker in the background where none is; this one is for machines that
    do nothing else. Ctrl-C leaves; running sessions continue and are adopted by the next worker.

    Where state folders or machines share a PostgreSQL database, one at a time has a worker on it;
    the lease of a machine that died ends after a minute. With --take-over its runs become ours:
    what was at work there ends as failed, to be run again; its uncommitted work stays there.

    After a restart nothing goes on until you call abreast. `enable` makes a service of your own of
    it (systemd on Linux, launchd on macOS), which goes on by itself; it shows the files, and asks.
    """
    places = find_places()
    if db:
        places = replace(places, database=db)
    if action == "status":
        return _worker_status(places, json=json)
    if action is not None:
        return _worker_service(places, remove=action == "disable", yes=yes, json=json)
    from abreast.engine.working.worker import main

    code = main(places, idle_exit or None, take_over=take_over)
    if json:
        as_json.emit({"exit_code": code})
    return code


def _worker_service(places: Places, *, remove: bool, yes: bool, json: bool) -> int:
    from abreast.cli.confirmed import change
    from abreast.engine.client.service import set_service

    def call(confirm: "Confirm") -> "Connection":
        return set_service(places, os.environ, confirm, remove=remove)

    def told(found: "Connection") -> str:
        if not found.applied:
            return f"the worker is {'no service' if remove else 'a service already'}"
        after = "no longer goes on" if remove else "goes on with runs"
        return f"the worker {after} by itself after a restart"

    return change(call, told, yes=yes, json=json)


def _worker_status(places: Places, *, json: bool) -> int:
    from abreast.engine.client.service import service_of
    from abreast.engine.common.worker_process import find_worker
    from abreast.store.reader import Reader

    service, living = service_of(places, os.environ), find_worker(places)
    waiting = [run.id for run in Reader(places.database).requests()]
    if json:
        pid = living.pid if living else None
        as_json.emit({"enabled": service.enabled, "pid": pid, "runs": waiting})
        return 0
    click.echo(f"worker   {f'at work, process {living.pid}' if living else 'none at work'}")
    then = f"enabled: {service.file}" if service.enabled else "not enabled: abreast worker enable"
    click.echo(f"service  {then}")
    click.echo(f"runs     {len(waiting)} that have not ended")
    if waiting and not living:
        click.echo(f"hint: abreast resume {waiting[0]} goes on with one", err=True)
    return 0
