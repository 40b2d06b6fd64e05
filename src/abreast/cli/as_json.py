"""What `--json` prints: plain dicts with a schema number, and nothing that depends on a screen.

`schema` rises only when a key goes away or changes its meaning; new keys may come at any time.
Times are Unix seconds, costs US dollars; what is unknown is null. `seconds` is how long something
has taken so far: differences of times are wrong when the clock was set meanwhile.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from abreast.model.harmless import escaped
from abreast.model.session import LogEvent, Run, Session
from abreast.process import clock

if TYPE_CHECKING:
    from abreast.api import AgentInfo
    from abreast.engine.client.telling import TellResult
    from abreast.model.attendance import Presence
    from abreast.model.connection import Connection
    from abreast.model.contract import Deliverable
    from abreast.model.economy import Estimate
    from abreast.model.finding import Diagnosis
    from abreast.model.handoff import Freshness, Handoff
    from abreast.model.removal import Removal

SCHEMA = 1


def emit(content: Mapping[str, Any], *, lines: bool = False) -> None:
    """Print `content` as one JSON document; with `lines` on a single line, for streams."""
    document = {"schema": SCHEMA, **content}
    click.echo(escaped(json.dumps(document, indent=None if lines else 2, ensure_ascii=False)))


def run_dict(run: Run, presence: "Presence | None" = None) -> dict[str, Any]:
    """Return a run; with `presence` also who works on it, and when it was last seen to live."""
    fields = asdict(run) | {"sessions": [session_dict(session) for session in run.sessions]}
    del fields["generation"], fields["created_tick"]  # between clients and worker
    last = presence.at(clock.now()) if presence else clock.now()
    told = {"attendance": presence.who.value, "last_sign": presence.last} if presence else {}
    return fields | {"seconds": run.took(last)} | told


def session_dict(session: Session) -> dict[str, Any]:
    fields = asdict(session)
    del fields["started_tick"], fields["ended_tick"]
    return fields | {"seconds": session.took(clock.now())}


def event_dict(event: LogEvent) -> dict[str, Any]:
    return asdict(event)


def agent_dict(info: "AgentInfo") -> dict[str, Any]:
    return asdict(info) | {
        "path": str(info.path) if info.path else None,
        "installed": info.path is not None,
        "relies_on": [
            asdict(one) | {"path": str(one.path) if one.path else None} for one in info.relies_on
        ],
    }


def removal_dict(removal: "Removal") -> dict[str, Any]:
    return asdict(removal) | {"worktree": str(removal.worktree)}


def deliverable_dict(found: "Deliverable") -> dict[str, Any]:
    """Return a deliverable with its whole text, and what is derived in it."""
    account = asdict(found.account) | {"net": found.account.net} if found.account else None
    estimate = estimate_dict(found.estimate) if found.estimate else None
    return asdict(found) | {"text": found.text, "account": account, "estimate": estimate}


def estimate_dict(estimate: "Estimate") -> dict[str, Any]:
    return asdict(estimate) | {"net": estimate.net, "worth": estimate.worth}


def told_dict(told: "TellResult") -> dict[str, Any]:
    return asdict(told)


def diagnosis_dict(found: "Diagnosis") -> dict[str, Any]:
    return asdict(found)


def handoff_dict(found: "Handoff") -> dict[str, Any]:
    return asdict(found)


def freshness_dict(found: "Freshness") -> dict[str, Any]:
    return asdict(found) | {"stale": found.stale}


def connection_dict(connection: "Connection") -> dict[str, Any]:
    changes = [asdict(change) | {"path": str(change.path)} for change in connection.changes]
    return asdict(connection) | {"changes": changes}
