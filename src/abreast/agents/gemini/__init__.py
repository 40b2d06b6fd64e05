"""The agent `gemini`: everything that is odd about this CLI; start with `agent.py`."""

from abreast.agents.gemini.agent import AGENT, GeminiAgent

__all__ = ["AGENT", "GeminiAgent"]
