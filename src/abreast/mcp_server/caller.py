"""Who calls: which agent the client is, how long it waits for a call, and which session it is."""

import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass

from abreast.agents import AGENTS, connectable
from abreast.process.environment import SESSION

WAIT = "ABREAST_MCP_WAIT"  # seconds that a call may take, whatever the client
_UNKNOWN = 45.0  # seconds; most clients give a call 60


@dataclass(frozen=True)
class Caller:
    """A client. `own` is the agent it is, "" if it is not one; `wait` are seconds.

    `parent` names the session for which it asks, and `folder` that of its project, as far as they
    are known.
    """

    own: str
    wait: float
    parent: str
    folder: str = ""


def caller_of(client: str, environ: Mapping[str, str] | None = None) -> Caller:
    """Return who calls, by the name that the client gave itself, such as `codex-mcp-client`."""
    env = os.environ if environ is None else environ
    own = next((name for name in connectable() if name in client.lower()), "")
    connector = AGENTS[own].connection if own else None
    wait, session, folder = _UNKNOWN, "", ""
    if connector is not None:
        wait = connector.WAIT
        session, folder = env.get(connector.SESSION, ""), env.get(connector.FOLDER, "")
    with contextlib.suppress(KeyError, ValueError):
        wait = max(0.0, float(env[WAIT]))
    parent = env.get(SESSION) or (f"{own}:{session}" if session else own)
    return Caller(own, wait, parent, folder)
