"""Everything abreast can do, as typed calls. The CLI parses, calls one of these, and renders.

Every call is synchronous and safe to use from threads; `abreast.aio` has the async twins. All
take `places` (default: the user's own state folder and database) as a keyword.

Errors are `abreast.errors.AbreastError`s with a message and, mostly, a `hint`. Names are loaded on
first use: a look at runs need not import what delegating takes.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from abreast.api.delegations import (
        collect,
        contract,
        delegate,
        estimate,
        more,
        start_delegation,
        tell,
    )
    from abreast.api.looking import diff, find_run, find_session, logs, runs, sessions, stream
    from abreast.api.machine import AgentInfo, agents, connect
    from abreast.api.records import (
        check_handoff,
        doctor,
        handoff,
        handoffs,
        hook_handoff,
        ledger,
        write_handoff,
    )
    from abreast.api.running import (
        Progress,
        clean,
        demo,
        land,
        read_plan,
        request_landing,
        resume,
        retry,
        run,
        start,
        stop,
        wait,
    )
    from abreast.api.terminals import Terminal, attach, close_session, open_session
    from abreast.model.connection import Connection

__all__ = [
    "AgentInfo",
    "Connection",
    "Progress",
    "Terminal",
    "agents",
    "attach",
    "check_handoff",
    "clean",
    "close_session",
    "collect",
    "connect",
    "contract",
    "delegate",
    "demo",
    "diff",
    "doctor",
    "estimate",
    "find_run",
    "find_session",
    "handoff",
    "handoffs",
    "hook_handoff",
    "land",
    "ledger",
    "logs",
    "more",
    "open_session",
    "read_plan",
    "request_landing",
    "resume",
    "retry",
    "run",
    "runs",
    "sessions",
    "start",
    "start_delegation",
    "stop",
    "stream",
    "tell",
    "wait",
    "write_handoff",
]

# Looked through in this order: what only reads is to answer at once.
_HOMES = (
    "abreast.api.looking",
    "abreast.api.records",
    "abreast.api.running",
    "abreast.api.terminals",
    "abreast.api.machine",
    "abreast.api.delegations",
)

if not TYPE_CHECKING:  # which would take any name at all for one of ours

    def __getattr__(name: str) -> object:
        from abreast.lazy import load

        return load(__name__, name, _HOMES)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
