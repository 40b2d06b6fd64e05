"""Every agent that abreast can run, by name. Importing this is cheap; nothing is looked for."""

from collections.abc import Mapping
from importlib import import_module

from abreast.agents import command, scripted
from abreast.agents.base import Agent
from abreast.errors import NotFoundError


def _load() -> dict[str, Agent]:
    found: dict[str, Agent] = {}
    for name in ("claude", "codex", "gemini"):
        try:
            found[name] = import_module(f"abreast.agents.{name}").AGENT
        except (ModuleNotFoundError, AttributeError, SyntaxError):
            continue
    return found


AGENTS: Mapping[str, Agent] = {**_load(), "command": command.AGENT, "scripted": scripted.AGENT}


def agent_named(name: str) -> Agent:
    """Return the agent of this name. Raises `NotFoundError`, with the nearest name as hint."""
    if name in AGENTS:
        return AGENTS[name]
    from difflib import get_close_matches

    near = get_close_matches(name.lower(), AGENTS, n=1)
    hint = f"did you mean `{near[0]}`?" if near else f"agents are: {', '.join(AGENTS)}"
    raise NotFoundError(f"no agent is named `{name}`", hint=hint)
