"""The agent `claude`: everything that is odd about this CLI; start with `agent.py`."""

from abreast.agents.claude.agent import AGENT, ClaudeAgent

__all__ = ["AGENT", "ClaudeAgent"]
