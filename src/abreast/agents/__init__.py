"""Every agent that abreast can run, by name. An adapter is imported when it is first asked for."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING

from abreast.errors import NotFoundError

if TYPE_CHECKING:
    from abreast.agents.base import Agent

_NAMES = ("claude", "codex", "gemini", "command", "scripted")


class _Agents(Mapping[str, "Agent"]):
    # Every supervisor of an agent process starts by importing this, and needs one adapter of five.

    def __getitem__(self, name: str) -> "Agent":
        if name not in _NAMES:
            raise KeyError(name)
        agent: Agent = import_module(f"abreast.agents.{name}").AGENT
        return agent

    def __iter__(self) -> Iterator[str]:
        return iter(_NAMES)

    def __len__(self) -> int:
        return len(_NAMES)


AGENTS: Mapping[str, "Agent"] = _Agents()


def agent_named(name: str) -> "Agent":
    """Return the agent of this name. Raises `NotFoundError`, with the nearest name as hint."""
    if name in _NAMES:
        return AGENTS[name]
    from difflib import get_close_matches

    near = get_close_matches(name.lower(), _NAMES, n=1)
    hint = f"did you mean `{near[0]}`?" if near else f"agents are: {', '.join(_NAMES)}"
    raise NotFoundError(f"no agent is named `{name}`", hint=hint)
