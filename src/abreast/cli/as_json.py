"""What `--json` prints: plain dicts with a schema number, and nothing that depends on a screen.

`schema` rises only when a key goes away or changes its meaning; new keys may come at any time.
Times are Unix seconds, costs US dollars; what is unknown is null. `seconds` is how long something
has taken so far: differences of times are wrong when the clock was set meanwhile.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass
from typing import TYPE_CHECKING, Any, get_type_hints

import click

from abreast.model.session import Attendance, Run, Session
from abreast.model.snapshot import Row
from abreast.model.text import escaped
from abreast.process import clock

if TYPE_CHECKING:
    from abreast.model.session import Presence

SCHEMA = 1
_REQUESTED = ("land_order", "land_batch", "land_tests")  # how the latest landing was asked for
_DERIVED = ("installed", "text", "net", "worth", "usd", "gained", "stale", "words")  # properties
_LEFT_OUT = {  # not for readers
    "Run": ("generation", "created_tick", "common_dir", *_REQUESTED),
    "Session": ("started_tick", "ended_tick", "moved_tick"),
}
_ADDED: Mapping[str, Mapping[str, Any]] = {
    "Run": {"seconds": float, "attendance": Attendance, "last_sign": float | None},
    "Session": {"seconds": float | None, "repairing": str},
}
SOMETIMES = ("attendance", "last_sign")
"""Keys that are left out where nobody has looked for what they say."""
_NULL_FOR_ZERO = {"Ledger": ("since",), "LedgerRow": ("begun",)}  # a time that is not known


def emit(content: Any, *, lines: bool = False) -> None:
    """Print a mapping or a dataclass as one JSON document; with `lines` on a single line.

    A dataclass stands for its fields and what is derived from them, a path for its name.
    `cli/documents.py` has the type of each verb's documents.
    """
    click.echo(rendered(content, lines=lines))


def rendered(content: Any, *, lines: bool = False) -> str:
    """Return the text that `emit` prints."""
    document = {"schema": SCHEMA, **(content if isinstance(content, Mapping) else plain(content))}
    indent = None if lines else 2
    return escaped(json.dumps(document, indent=indent, ensure_ascii=False, default=plain))


def plain(value: Any) -> Any:
    """Return what stands for a dataclass (a dict, one level deep) or a path (a string) in JSON."""
    if not is_dataclass(value):
        return os.fspath(value)
    if isinstance(value, Run):
        return run_dict(value)
    if isinstance(value, Session):
        return session_dict(value)
    kind = type(value)
    found = {name: getattr(value, name) for name in (f.name for f in fields(value))}
    derived = {name: getattr(value, name) for name in _derived(kind)}
    return found | derived | {n: found[n] or None for n in null_for_zero(kind)}


def _derived(kind: type) -> list[str]:
    return [name for name in _DERIVED if isinstance(getattr(kind, name, None), property)]


def left_out(kind: type) -> tuple[str, ...]:
    """Return the fields of a dataclass that are not printed."""
    return _LEFT_OUT.get(kind.__name__, ())


def null_for_zero(kind: type) -> tuple[str, ...]:
    """Return the fields of a dataclass that are printed as null when they are 0."""
    return _NULL_FOR_ZERO.get(kind.__name__, ())


def added(kind: type) -> dict[str, Any]:
    """Return what is printed of a dataclass beside its fields, and the type of each."""
    derived = {name: get_type_hints(getattr(kind, name).fget)["return"] for name in _derived(kind)}
    return {**derived, **_ADDED.get(kind.__name__, {})}


def run_dict(run: Run, presence: "Presence | None" = None) -> dict[str, Any]:
    """Return a run; with `presence` also who works on it, and when it was last seen to live."""
    fields = asdict(run) | {"sessions": [session_dict(session) for session in run.sessions]}
    for name in _LEFT_OUT["Run"]:
        del fields[name]
    last = presence.at(clock.now()) if presence else clock.now()
    told = {"attendance": presence.who.value, "last_sign": presence.last} if presence else {}
    return fields | {"seconds": run.took(last)} | told


def row_dict(row: Row) -> dict[str, Any]:
    """Return a row of the snapshot; `cli/documents.py` has the type."""
    session = row.session
    return {
        "id": row.id,
        "group": row.group,
        "repo": row.repo,
        "target": row.target,
        "run": session.run,
        "task": session.task,
        "sentence": row.sentence,
        "agent": session.agent,
        "model": session.model,
        "state": session.state,
        "landing": session.landing,
        "since": row.since.wall,
        "age": row.age(clock.now()),
        "last_action": session.last_action,
        "waits": row.waits,
        "held": session.held,
        "need": row.need,
        "tokens": row.tokens,
        "cost_usd": session.usage.cost_usd,
        "files": list(session.files),
        "conflicts": list(session.conflicts),
        "parent": session.parent,
    }


def session_dict(session: Session) -> dict[str, Any]:
    fields = asdict(session)
    for name in _LEFT_OUT["Session"]:
        del fields[name]
    return fields | {"seconds": session.took(clock.now()), "repairing": session.repairing}
