"""The agent `codex`: everything that is odd about this CLI; start with `agent.py`."""

from abreast.agents.codex.agent import AGENT, CodexAgent

__all__ = ["AGENT", "CodexAgent"]
