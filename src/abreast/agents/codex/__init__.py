"""The agent `codex`: everything that is odd about this CLI; start with `agent.py`."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from abreast.agents.codex.agent import AGENT, CodexAgent

__all__ = ["AGENT", "CodexAgent"]


def __getattr__(name: str) -> object:
    """Load the agent when it is asked for: whoever reads its records needs only those."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from abreast.agents.codex import agent

    value: object = getattr(agent, name)
    globals()[name] = value
    return value
