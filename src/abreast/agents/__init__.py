"""Every agent that abreast can run, by name. An adapter is imported when it is first asked for.

Tests, and programs that embed abreast, bring more by the variable ABREAST_AGENTS: Python files,
divided as in PATH, each with an `AGENT`. Workers and supervisors are processes of their own, so
an agent that is registered in this process only would not reach them.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from abreast.errors import AgentError, NotFoundError
from abreast.process.environment import BROUGHT

if TYPE_CHECKING:
    from abreast.agents.base import Agent
    from abreast.agents.parts import Records

_MODELLED = ("claude", "codex", "gemini")
_BUILT_IN = (*_MODELLED, "command", "scripted")
DEFAULT = _BUILT_IN[0]
"""Who does what names nobody."""


class _Agents(Mapping[str, "Agent"]):
    # Every supervisor of an agent process starts by importing this, and needs one adapter of five.

    def __getitem__(self, name: str) -> "Agent":
        if name not in _BUILT_IN:
            return _brought(os.environ.get(BROUGHT, ""))[name]
        agent: Agent = import_module(f"abreast.agents.{name}").AGENT
        return agent

    def __iter__(self) -> Iterator[str]:
        return iter((*_BUILT_IN, *_brought(os.environ.get(BROUGHT, ""))))

    def __len__(self) -> int:
        return sum(1 for _ in self)


AGENTS: Mapping[str, "Agent"] = _Agents()


def agent_named(name: str) -> "Agent":
    """Return the agent of this name. Raises `NotFoundError`, with the nearest name as hint."""
    if name in AGENTS:
        return AGENTS[name]
    from difflib import get_close_matches

    near = get_close_matches(name.lower(), AGENTS, n=1)
    hint = f"did you mean `{near[0]}`?" if near else f"agents are: {', '.join(AGENTS)}"
    raise NotFoundError(f"no agent is named `{name}`", hint=hint)


def preload(name: str) -> None:
    """Import what a supervisor of this agent's process needs; nothing for an agent that is brought.

    A brought agent's file is run only where its own variable says so.
    """
    if name in _BUILT_IN:
        AGENTS[name].reader()


def recording() -> "dict[str, Records]":
    """Return the records of those agents that keep any, by name."""
    return {name: kept for name, agent in AGENTS.items() if (kept := agent.records) is not None}


def records_of(name: str) -> "Records":
    """Return the records of an agent that keeps some. Raises `NotFoundError`."""
    records = agent_named(name).records
    if records is None:
        raise NotFoundError(f"`{name}` has no transcripts that abreast can read")
    return records


def connectable() -> tuple[str, ...]:
    """Return the names of the agents in whose sessions our tools can be offered."""
    return _known(lambda agent: agent.connection is not None)


def hooked() -> tuple[str, ...]:
    """Return the names of the agents whose sessions can run a command when they end."""
    return _known(lambda agent: agent.ending_hook is not None)


def modelled() -> tuple[str, ...]:
    """Return the names of the agents that ask a model: a repository, or a model, may choose those.

    The others run what they are told to.
    """
    return _known(lambda agent: agent.capabilities.model)


def _known(has: "Callable[[Agent], bool]") -> tuple[str, ...]:
    """Return those that ask a model, for these have every part, and those brought along that `has`.

    None of our own is imported, because every help lists them; a test holds them to it.
    """
    brought = _brought(os.environ.get(BROUGHT, ""))
    return (*_MODELLED, *(name for name, one in brought.items() if has(one)))


def titles(names: Iterable[str]) -> list[str]:
    """Return what agents are called in a sentence, such as `Claude Code`."""
    return [AGENTS[name].title for name in names]


@cache
def _brought(paths: str) -> "Mapping[str, Agent]":
    if not paths:
        return {}
    import sys
    from importlib.util import module_from_spec, spec_from_file_location
    from zlib import crc32

    found: dict[str, Agent] = {}
    for path in paths.split(os.pathsep):
        # By its path: a place in the list would be that of another file when the list changes.
        name = f"abreast_agent_{crc32(os.fsencode(path)):08x}"
        spec = spec_from_file_location(name, path)
        if spec is None or spec.loader is None:
            raise _unfit(path, "it is not a Python file")
        sys.modules[name] = module = module_from_spec(spec)
        try:
            spec.loader.exec_module(module)
            agent: Agent = module.AGENT
        except Exception as error:
            del sys.modules[name]
            raise _unfit(path, repr(error)) from error
        if agent.name in _BUILT_IN or agent.name in found:
            raise _unfit(path, f"there is an agent `{agent.name}` already")
        found[agent.name] = agent
    return found


def _unfit(path: str, why: str) -> AgentError:
    return AgentError(
        f"{path} brings no agent: {why}",
        hint=f"{BROUGHT} names Python files that each have an AGENT; correct or unset it",
    )
