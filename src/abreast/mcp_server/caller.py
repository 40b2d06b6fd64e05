"""Who calls: which agent the client is, how long it waits for a call, and which session it is."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from abreast.process.environment import SESSION

WAIT = "ABREAST_MCP_WAIT"  # seconds that a call may take, whatever the client

# Seconds well within the time that each client gives a call; its default, unless configured:
# Claude Code 28 hours, Codex 300 s, Gemini CLI 600 s, which progress does not extend, others 60 s.
_WAITS = {"claude": 1800.0, "codex": 240.0, "gemini": 480.0}
_UNKNOWN = 45.0
_CLAUDE_SESSION = "CLAUDE_CODE_SESSION_ID"


@dataclass(frozen=True)
class Caller:
    """A client. `own` is the agent it is, "" when it is none; `wait` are seconds.

    `parent` names the session for which it asks, as far as that is known.
    """

    own: str
    wait: float
    parent: str


def caller_of(client: str, environ: Mapping[str, str] | None = None) -> Caller:
    """Return who calls, by the name that the client gave itself, such as `codex-mcp-client`."""
    env = os.environ if environ is None else environ
    own = next((name for name in _WAITS if name in client.lower()), "")
    return Caller(own, _wait(own, env), _parent(own, env))


def _wait(own: str, environ: Mapping[str, str]) -> float:
    try:
        return max(0.0, float(environ[WAIT]))
    except (KeyError, ValueError):
        return _WAITS.get(own, _UNKNOWN)


def _parent(own: str, environ: Mapping[str, str]) -> str:
    if SESSION in environ:
        return environ[SESSION]
    session = environ.get(_CLAUDE_SESSION, "") if own == "claude" else ""
    return f"{own}:{session}" if session else own
