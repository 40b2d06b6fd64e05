"""A child's answer in Claude Code's stream: from its structured channel, else what it said."""

import json
from collections.abc import Mapping
from typing import Any

from abreast.agents.claude.mail import STRUCTURED


class ClaudeAnswer:
    """Gathers, over one process, what could be the answer."""

    def __init__(self) -> None:
        self._said: list[str] = []  # since the last tool call
        self._tried = (
            ""  # the latest answer that was given by the tool for it, whether taken or not
        )

    def text(self, said: str) -> None:
        self._said.append(said)

    def call(self, tool: str, arguments: Mapping[str, Any]) -> None:
        self._said.clear()
        if tool == STRUCTURED:
            self._tried = _json(arguments)

    def whole(self, result: Mapping[str, Any] | None) -> str:
        """Return all of the answer; `result` is the last result event, if there was one."""
        given = (result or {}).get("structured_output")
        if given is not None:
            return _json(given)
        return "\n".join(said for said in self._said if said.strip()) or self._tried


def wrong_shape(result: Mapping[str, Any]) -> bool:
    """Return whether the process ended because no answer had the shape that was asked for."""
    return result.get("subtype") == "error_max_structured_output_retries"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
