"""The agent CLIs of this machine."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from abreast.agents.base import Agent, Capabilities, Login, Relied
from abreast.agents.versions import Certified, Standing
from abreast.model.connection import Confirm, Connection, Scope
from abreast.places import Places, find_places


@dataclass(frozen=True)
class AgentInfo:
    """One row of `abreast agents`. `path` is None when the CLI is not installed.

    `standing` says how its version stands to those that were tried, `certified` (None for an agent
    that is built in). A version that is too old is not used. `relies_on` are the programs of this
    machine that its sessions need.
    """

    name: str
    title: str
    path: Path | None
    version: str
    login: Login | None
    capabilities: Capabilities
    install_hint: str
    certified: Certified | None = None
    standing: Standing | None = None
    relies_on: tuple[Relied, ...] = ()


def agents(environ: Mapping[str, str] | None = None) -> list[AgentInfo]:
    """Return every agent abreast knows, with what is installed and what each can do."""
    from abreast.agents import AGENTS

    env = os.environ if environ is None else environ
    return [_info(agent, env) for agent in AGENTS.values()]


def connect(
    agent: str,
    *,
    scope: Scope | str = Scope.USER,
    remove: bool = False,
    repo: Path | None = None,
    confirm: Confirm | None = None,
    environ: Mapping[str, str] | None = None,
    places: Places | None = None,
) -> Connection:
    """Register the MCP server and the skill in an agent CLI's own configuration, or undo that.

    `repo` is a folder in the checkout that scope `project` means, by default the current one.
    `confirm` is given what would change, and returns whether to go on; without it nobody is asked.
    Raises AgentError when the CLI is missing or starts no servers, StateError when a file cannot
    be edited or changed meanwhile: then nothing has been written.
    """
    from abreast.engine.client.connect import register

    env = os.environ if environ is None else environ
    top = register.require_top(repo or Path.cwd()) if Scope(scope) is Scope.PROJECT else None
    where = places or find_places()
    return register.connect(agent, where, env, top=top, remove=remove, confirm=confirm)


def _info(agent: Agent, environ: Mapping[str, str]) -> AgentInfo:
    from abreast.engine.common.installed import version_of

    found = agent.find(environ)
    version = version_of(found, environ) if found else ""
    tried = agent.certified
    return AgentInfo(
        agent.name,
        agent.title,
        found.path if found else None,
        version,
        agent.login(environ) if found else None,
        agent.capabilities,
        agent.install_hint,
        tried,
        tried.standing(version) if tried and found else None,
        agent.relies_on(found, environ) if found else (),
    )
