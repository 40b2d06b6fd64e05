"""What we changed in a CLI's configuration, kept so that it can be undone exactly.

Only what stood in the changed places is kept, not the file: it may hold secrets.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from abreast.engine.client.connect.change import FileRewrite, missing_folders, remove_empty
from abreast.engine.client.connect.edits import TextEdit, apply, between, reverse
from abreast.places import Places
from abreast.process.files import load_as, write_json


@dataclass(frozen=True)
class Trace:
    """What was done to one file. `after` is its hash when we left it.

    `undo` leads from that text to the one before; `existed` tells whether there was a file.
    `folders` are those we made for it, outermost first. Of the keys of an entry, the first `kept`
    were there before; `previous` is the entry that stood there, if one did.
    """

    path: str
    after: str
    existed: bool
    undo: tuple[TextEdit, ...]
    folders: tuple[str, ...] = ()
    kept: int = 0
    previous: Mapping[str, Any] | None = None

    def left_alone(self, text: str) -> bool:
        """Return whether the file is still as we left it."""
        return digest(text) == self.after

    def before(self, text: str) -> str | None:
        """Return what was there before, of a text that was left alone."""
        return apply(text, self.undo) if self.existed else None


@dataclass(frozen=True)
class Receipt:
    """What was done for one agent."""

    agent: str
    files: tuple[Trace, ...] = ()


def trace_of(change: FileRewrite, before: str | None, known: Trace | None) -> Trace:
    """Return what a change does to a file that was `before` without us; `known`: as we left it."""
    new = change.new or ""
    undo = reverse(change.edits) if before == change.old else between(new, before or "")
    folders = known.folders if known else tuple(map(str, missing_folders(change.path)))
    return Trace(str(change.path), digest(new), before is not None, tuple(undo), folders)


def digest(text: str) -> str:
    """Return the hash by which a text is known again."""
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()


def load(places: Places, agent: str, config: Path) -> dict[str, Trace]:
    """Return what was done, by path; {} when nothing is known of it."""
    found = load_as(Receipt, _file(places, agent, config))
    return {trace.path: trace for trace in found.files} if found else {}


def save(places: Places, agent: str, config: Path, traces: Mapping[str, Trace]) -> None:
    """Keep what was done; with nothing done, forget all about it."""
    file = _file(places, agent, config)
    if traces:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_json(file, Receipt(agent, tuple(traces.values())))
    else:
        file.unlink(missing_ok=True)
        remove_empty((places.state, file.parent))


def _file(places: Places, agent: str, config: Path) -> Path:
    name = hashlib.sha256(bytes(config)).hexdigest()[:16]
    return places.state / "connections" / f"{agent}-{name}.json"
