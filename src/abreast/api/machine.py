"""The agent CLIs of this machine, and what they would be given."""

import os
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from abreast.agents import AGENTS, agent_named
from abreast.agents.base import Agent, Capabilities, Launch, Login, Relied
from abreast.agents.parts import Certified, VersionStatus
from abreast.engine.common import environment
from abreast.engine.common.bubblewrap import Bubblewrap, find_bubblewrap
from abreast.engine.common.environment import wanted_environment
from abreast.engine.common.installed import find_fit, version_of
from abreast.engine.common.settings_files import user_layers
from abreast.handoff.masking import mask_variable
from abreast.model.sandbox import SandboxMode
from abreast.model.task import AgentChoice
from abreast.places import find_places
from abreast.plan.settings import sandbox_of
from abreast.process.environment import SESSION
from abreast.process.identity import MARKER


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


@dataclass(frozen=True)
class AgentVariable:
    """A variable of an agent's environment; `added` where abreast sets it, else it is yours."""

    name: str
    value: str
    added: bool = False


@dataclass(frozen=True)
class AgentEnvironment:
    """All variables that an agent would get, and the names of those of yours that it would not."""

    agent: str
    variables: tuple[AgentVariable, ...]
    withheld: tuple[str, ...] = ()


def agent_environment(
    name: str, pass_env: Iterable[str] = (), environ: Mapping[str, str] | None = None
) -> AgentEnvironment:
    """Return the variables with which a task of this agent would be started here and now.

    What looks like a secret is masked, unless `environ` is given: then values are as they are.
    `pass_env` is as in a plan. RUN and TASK stand for names that only a session has. Raises
    NotFoundError for an agent that does not exist, AgentError for a CLI that is not installed.
    """
    yours = os.environ if environ is None else environ
    agent = agent_named(name)
    kept = wanted_environment(yours, pass_env)
    given = environment.agent_environment(kept, agent, pass_env)
    folder = find_places(yours).sessions / "RUN" / "TASK" / "cli"
    launch = Launch(
        installed=find_fit(agent, given),
        directory=folder,
        worktree=Path.cwd(),
        git_dir=Path.cwd() / ".git",
        common_dir=Path.cwd() / ".git",
        environ={**given, SESSION: "RUN/TASK"},
        choice=AgentChoice(name, command="true"),
        cli_session=str(uuid.UUID(int=0)),
    )
    whole = {**agent.headless(launch).env, MARKER: "(a new one for each process)"}
    shown = mask_variable if environ is None else lambda _, value: value
    return AgentEnvironment(
        name,
        tuple(
            AgentVariable(one, shown(one, whole[one]), yours.get(one) != whole[one])
            for one in sorted(whole)
        ),
        tuple(sorted(yours.keys() - whole.keys())),
    )


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
