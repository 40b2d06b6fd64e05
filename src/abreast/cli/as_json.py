"""What `--json` prints: plain dicts with a schema number, and nothing that depends on a screen.

`schema` rises only when a key goes away or changes its meaning; new keys may come at any time.
Times are Unix seconds, costs US dollars; what is unknown is null. `seconds` is how long something
has taken so far: differences of times are wrong when the clock was set meanwhile.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from typing import TYPE_CHECKING, Any

import click

from abreast.model.harmless import escaped
from abreast.model.session import Run, Session
from abreast.process import clock

if TYPE_CHECKING:
    from abreast.api.machine import AgentInfo
    from abreast.model.attendance import Presence
    from abreast.model.contract import Deliverable
    from abreast.model.economy import Estimate
    from abreast.model.handoff import Freshness

SCHEMA = 1


def emit(content: Mapping[str, Any], *, lines: bool = False) -> None:
    """Print `content` as one JSON document; with `lines` on a single line, for streams.

    A dataclass in it stands for its fields, a path for its name.
    """
    document = {"schema": SCHEMA, **content}
    indent = None if lines else 2
    click.echo(escaped(json.dumps(document, indent=indent, ensure_ascii=False, default=_plain)))


def _plain(value: Any) -> object:
    return asdict(value) if is_dataclass(value) else os.fspath(value)  # type: ignore[arg-type]


def run_dict(run: Run, presence: "Presence | None" = None) -> dict[str, Any]:
    """Return a run; with `presence` also who works on it, and when it was last seen to live."""
    fields = asdict(run) | {"sessions": [session_dict(session) for session in run.sessions]}
    del fields["generation"], fields["created_tick"], fields["common_dir"]  # not for readers
    last = presence.at(clock.now()) if presence else clock.now()
    told = {"attendance": presence.who.value, "last_sign": presence.last} if presence else {}
    return fields | {"seconds": run.took(last)} | told


def session_dict(session: Session) -> dict[str, Any]:
    fields = asdict(session)
    del fields["started_tick"], fields["ended_tick"]
    return fields | {"seconds": session.took(clock.now())}


def agent_dict(info: "AgentInfo") -> dict[str, Any]:
    return asdict(info) | {"installed": info.path is not None}


def deliverable_dict(found: "Deliverable") -> dict[str, Any]:
    """Return a deliverable with its whole text, and what is derived in it."""
    account = asdict(found.account) | {"net": found.account.net} if found.account else None
    estimate = estimate_dict(found.estimate) if found.estimate else None
    return asdict(found) | {"text": found.text, "account": account, "estimate": estimate}


def estimate_dict(estimate: "Estimate") -> dict[str, Any]:
    return asdict(estimate) | {"net": estimate.net, "worth": estimate.worth}


def freshness_dict(found: "Freshness") -> dict[str, Any]:
    return asdict(found) | {"stale": found.stale}
