"""The agent CLIs of this machine."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from abreast.agents import AGENTS
from abreast.agents.base import Agent, Capabilities, Login, Relied
from abreast.agents.parts import Certified, VersionStatus
from abreast.engine.common.bubblewrap import Bubblewrap, find_bubblewrap
from abreast.engine.common.installed import version_of
from abreast.engine.common.settings_files import user_layers
from abreast.model.sandbox import SandboxMode
from abreast.plan.settings import sandbox_of


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
    standing: VersionStatus | None = None
    relies_on: tuple[Relied, ...] = ()

    @property
    def installed(self) -> bool:
        return self.path is not None


def agents(environ: Mapping[str, str] | None = None) -> list[AgentInfo]:
    """Return every agent abreast knows, with what is installed and what each can do."""
    env = os.environ if environ is None else environ
    return [_info(agent, env) for agent in AGENTS.values()]


def sandbox(environ: Mapping[str, str] | None = None) -> Bubblewrap:
    """Return the bubblewrap that confines sessions here, or why none does and what helps.

    Raises PlanError for a user's settings that cannot be read.
    """
    env = os.environ if environ is None else environ
    settings = sandbox_of(user_layers(env))
    if settings.mode is SandboxMode.NONE:
        return Bubblewrap("", "your settings say so")
    return find_bubblewrap(env, settings.program)


def _info(agent: Agent, environ: Mapping[str, str]) -> AgentInfo:
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
