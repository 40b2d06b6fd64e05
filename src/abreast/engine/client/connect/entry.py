"""The entry that a CLI's own command writes for our server, and which entries are abreast's."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from abreast.agents import agent_named
from abreast.agents.base import Agent
from abreast.agents.parts import Layout, Registration
from abreast.agents.recorded import at
from abreast.engine.client.connect import json_text, toml_text
from abreast.errors import AgentError, CommandError
from abreast.process.command import run
from abreast.process.environment import allow
from abreast.process.files import materialise

_SECONDS = 60


def server() -> tuple[str, ...]:
    """Return the command line of the MCP server, by absolute paths: its PATH may be a bare one."""
    program = Path(sys.executable).absolute().with_name("abreast")
    if os.access(program, os.X_OK):
        return (str(program), "mcp")
    return (str(Path(sys.executable).absolute()), "-m", "abreast", "mcp")


def is_ours(entry: Any) -> bool:
    """Return whether an entry starts abreast, this installation or another."""
    if not isinstance(entry, Mapping):
        return False
    command, arguments = str(entry.get("command", "")), list(entry.get("args") or ())
    if arguments == ["-m", "abreast", "mcp"]:
        return True
    return Path(command).name == "abreast" and arguments == ["mcp"]


def entry(
    agent: str, wanted: Registration, scratch: Path, environ: Mapping[str, str]
) -> dict[str, Any]:
    """Return the whole entry: what the CLI's own command writes in `scratch`, plus our extras.

    Raises AgentError when the CLI is missing, or its command did not do it.
    """
    cli = agent_named(agent)
    found = cli.find(environ)
    if found is None:
        raise AgentError(f"{cli.title} is not installed", hint=cli.install_hint)
    materialise(wanted.files, {})
    argv = (str(found.path), *wanted.command)
    # In a home of its own it can neither see nor change what the user has.
    env = {**allow(environ), "HOME": str(scratch), "TERM": "dumb", **wanted.env}
    try:
        run(argv, cwd=scratch, env=env, timeout=_SECONDS)
    except CommandError as failure:
        raise _refused(cli, wanted, failure.stderr or failure.stdout) from failure
    written = _at(wanted)
    if not is_ours(written):
        raise _refused(cli, wanted, "it wrote no entry")
    return {**written, **wanted.extras}


def _at(wanted: Registration) -> Any:
    parse = json_text.parse if wanted.layout is Layout.JSON else toml_text.parse
    try:
        return at(parse(wanted.written.read_text(encoding="utf-8")), *wanted.keys)
    except (OSError, ValueError):
        return None


def _refused(cli: Agent, wanted: Registration, said: str) -> AgentError:
    command = " ".join((cli.name, *wanted.command[:2]))
    return AgentError(
        f"`{command}` of {cli.title} failed: {said.strip()[-500:]}",
        hint=f"`{cli.name} --version`: is it older than what abreast knows?",
    )
