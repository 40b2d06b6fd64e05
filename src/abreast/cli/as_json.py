"""What `--json` prints: plain dicts with a schema number, and nothing that depends on a screen.

`schema` rises only when a key goes away or changes its meaning; new keys may come at any time.
Times are Unix seconds, costs US dollars; what is unknown is null. `seconds` is how long something
has taken so far: differences of times are wrong when the clock was set meanwhile.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass
from typing import TYPE_CHECKING, Any

import click

from abreast.model.session import Run, Session
from abreast.model.text import escaped
from abreast.process import clock

if TYPE_CHECKING:
    from abreast.model.session import Presence

SCHEMA = 1
_REQUESTED = ("land_order", "land_batch", "land_tests")  # how the latest landing was asked for
_DERIVED = ("installed", "text", "net", "worth", "usd", "gained", "stale", "words")  # properties


def emit(content: Any, *, lines: bool = False) -> None:
    """Print a mapping or a dataclass as one JSON document; with `lines` on a single line.

    A dataclass stands for its fields and what is derived from them, a path for its name.
    """
    document = {"schema": SCHEMA, **(content if isinstance(content, Mapping) else plain(content))}
    indent = None if lines else 2
    click.echo(escaped(json.dumps(document, indent=indent, ensure_ascii=False, default=plain)))


def plain(value: Any) -> Any:
    """Return what stands for a dataclass (a dict, one level deep) or a path (a string) in JSON."""
    if not is_dataclass(value):
        return os.fspath(value)
    kind = type(value)
    derived = [name for name in _DERIVED if isinstance(getattr(kind, name, None), property)]
    names = [*(field.name for field in fields(value)), *derived]
    return {name: getattr(value, name) for name in names}


def run_dict(run: Run, presence: "Presence | None" = None) -> dict[str, Any]:
    """Return a run; with `presence` also who works on it, and when it was last seen to live."""
    fields = asdict(run) | {"sessions": [session_dict(session) for session in run.sessions]}
    for name in ("generation", "created_tick", "common_dir", *_REQUESTED):
        del fields[name]  # not for readers
    last = presence.at(clock.now()) if presence else clock.now()
    told = {"attendance": presence.who.value, "last_sign": presence.last} if presence else {}
    return fields | {"seconds": run.took(last)} | told


def session_dict(session: Session) -> dict[str, Any]:
    fields = asdict(session)
    del fields["started_tick"], fields["ended_tick"]
    return fields | {"seconds": session.took(clock.now()), "repairing": session.repairing}
