"""Every agent that abreast can run, by name. Importing this is cheap; nothing is looked for."""

from collections.abc import Mapping

from abreast.agents import claude, codex, command, gemini, scripted
from abreast.agents.base import Agent
from abreast.errors import NotFoundError

AGENTS: Mapping[str, Agent] = {
    module.AGENT.name: module.AGENT for module in (claude, codex, gemini, command, scripted)
}


def agent_named(name: str) -> Agent:
    """Return the agent of this name. Raises `NotFoundError`, with the nearest name as hint."""
    if name in AGENTS:
        return AGENTS[name]
    from difflib import get_close_matches

    near = get_close_matches(name.lower(), AGENTS, n=1)
    hint = f"did you mean `{near[0]}`?" if near else f"agents are: {', '.join(AGENTS)}"
    raise NotFoundError(f"no agent is named `{name}`", hint=hint)
