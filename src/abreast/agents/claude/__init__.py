"""The agent `claude`: everything that is odd about this CLI; start with `agent.py`."""

from typing import TYPE_CHECKING

from abreast.lazy import load

if TYPE_CHECKING:
    from abreast.agents.claude.agent import AGENT, ClaudeAgent

__all__ = ["AGENT", "ClaudeAgent"]


def __getattr__(name: str) -> object:
    """Load the agent when it is asked for: whoever reads its records needs only those."""
    return load(__name__, name, ("abreast.agents.claude.agent",))
