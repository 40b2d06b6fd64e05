"""The agent `codex`: everything that is odd about this CLI; start with `agent.py`."""

from typing import TYPE_CHECKING

from abreast.lazy import load

if TYPE_CHECKING:
    from abreast.agents.codex.agent import AGENT, CodexAgent

__all__ = ["AGENT", "CodexAgent"]


def __getattr__(name: str) -> object:
    """Load the agent when it is asked for: whoever reads its records needs only those."""
    return load(__name__, name, ("abreast.agents.codex.agent",))
