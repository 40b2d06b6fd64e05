"""What is to change in the configuration of a CLI: shown, checked, noted down, and written.

What was changed is kept as a receipt, so that it can be undone exactly. Only what stood in the
changed places is kept, not the file, and what is shown hides each value that is not ours: it may be
a secret.
"""

import difflib
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from abreast.engine.client.connect.change import (
    FileRewrite,
    Side,
    TextEdit,
    apply,
    between,
    check,
    missing_folders,
    remove_empty,
    reverse,
    write,
)
from abreast.errors import AgentError, StateError
from abreast.model.changes import Confirm, Connection, FileChange, Scope
from abreast.places import Places
from abreast.process.files import load_as, private_folder, write_json


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
    """Return the SHA-256 of a text, by which it is recognised later."""
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()


def load_receipt(places: Places, agent: str, config: Path) -> dict[str, Trace]:
    """Return the traces of what was done, by path; {} without a receipt."""
    found = load_as(Receipt, _file(places, agent, config))
    return {trace.path: trace for trace in found.files} if found else {}


def save_receipt(places: Places, agent: str, config: Path, traces: Mapping[str, Trace]) -> None:
    """Write the receipt of what was done; without traces, delete it."""
    file = _file(places, agent, config)
    if traces:
        write_json(private_folder(file.parent) / file.name, Receipt(agent, tuple(traces.values())))
    else:
        file.unlink(missing_ok=True)
        remove_empty((places.state, file.parent))


def _file(places: Places, agent: str, config: Path) -> Path:
    name = hashlib.sha256(bytes(config)).hexdigest()[:16]
    return places.state / "connections" / f"{agent}-{name}.json"


_HIDDEN = "…"
_JSON = re.compile(
    r'(?P<key>"(?:\\.|[^"\\\n])*"\s*:)'
    r'|"(?:\\.|[^"\\\n])*(?:"|(?=\n)|\Z)|//[^\n]*|/\*[\s\S]*?(?:\*/|\Z)'
    r'|(?P<plain>[{}\[\],:\s]+)|[^{}\[\],:\s"]+|"'
)
_TOML = re.compile(r"^\s*(?:\[\[?[\w-][^=]*\]\s*$|[\]})]+,?\s*$|$)")
_TOML_KEY = re.compile(r"^(\s*[\w.'\"-]+\s*=)\s*[^=\s]")


def diff(change: FileRewrite) -> str:
    """Return the change as a unified diff; values that were not written by us are hidden."""
    hide = _HIDING.get(change.path.suffix, str)  # of a skill, every line is ours
    old, new = _displayed(change, hide)
    lines = difflib.unified_diff(
        old.splitlines(),
        new.splitlines(),
        "/dev/null" if change.old is None else str(change.path),
        "/dev/null" if change.new is None else str(change.path),
        n=1,
        lineterm="",
    )
    return "\n".join(lines) + "\n"


def _displayed(change: FileRewrite, hide: Callable[[str], str]) -> tuple[str, str]:
    """Return both texts, with every value hidden that abreast did not write."""
    old, new, at = [], [], 0
    whole = change.old or ""
    for edit in sorted(change.edits):
        same = hide(whole[at : edit.at])
        old += [same, edit.old if change.ours is Side.OLD else hide(edit.old)]
        new += [same, edit.new if change.ours is Side.NEW else hide(edit.new)]
        at = edit.at + len(edit.old)
    rest = hide(whole[at:])
    return "".join([*old, rest]), "".join([*new, rest])


def _hide_json(text: str) -> str:
    def one(found: re.Match[str]) -> str:
        if found["key"] or found["plain"]:
            return found[0]
        return _HIDDEN + "\n" * found[0].count("\n")

    return _JSON.sub(one, text)


def _hide_toml(text: str) -> str:
    return "".join(_hide_toml_line(line) for line in text.splitlines(keepends=True))


def _hide_toml_line(line: str) -> str:
    end = line[len(line.rstrip("\r\n")) :]
    if _TOML.match(line):
        return line
    key = _TOML_KEY.match(line)
    return f"{key[1]} {_HIDDEN}{end}" if key else f"{_HIDDEN}{end}"


_HIDING = {".json": _hide_json, ".toml": _hide_toml}


_Part = TypeVar("_Part")


@dataclass(frozen=True)
class Proposal:
    """What is to be done for `agent`, or undone with `remove`.

    What was done is known by the name `receipt` and the file `config`; `traces` tell it as it is
    when the changes have been made. `folders` are removed if they are empty then.
    """

    agent: str
    receipt: str
    config: Path
    changes: tuple[FileRewrite, ...]
    traces: Mapping[str, Trace]
    remove: bool
    scope: Scope = Scope.USER
    folders: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()


def require_part(part: _Part | None, environ: Mapping[str, str], lacks: str, hint: str) -> _Part:
    """Return an agent's part. Raises AgentError when it has none, StateError without a HOME."""
    if part is None:
        raise AgentError(lacks, hint=hint)
    if not environ.get("HOME"):
        raise StateError("HOME is not set", hint="abreast needs it to find the CLI's configuration")
    return part


def carry_out(proposal: Proposal, places: Places, confirm: Confirm | None) -> Connection:
    """Make the changes, unless `confirm`, which is shown them, says no.

    Raises StateError when a file has changed since it was read, or cannot be written.
    """
    changes = [one for one in proposal.changes if one.new != one.old]
    shown = tuple(FileChange(one.path, one.action, diff(one)) for one in changes)
    connection = Connection(proposal.agent, proposal.scope, proposal.remove, shown, proposal.notes)
    if not changes:
        if proposal.remove:
            save_receipt(places, proposal.receipt, proposal.config, {})
        return connection
    if confirm is not None and not confirm(connection):
        return connection
    for change in changes:
        check(change)
    if not proposal.remove:
        # First: whatever becomes of us, what was written can be undone.
        save_receipt(places, proposal.receipt, proposal.config, proposal.traces)
    for change in changes:
        write(change)
    if proposal.remove:
        remove_empty(proposal.folders)
        save_receipt(places, proposal.receipt, proposal.config, proposal.traces)
    return replace(connection, applied=True)
