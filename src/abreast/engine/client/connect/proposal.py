"""What is to change in the configuration of a CLI: shown, checked, noted down, and written."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from abreast.engine.client.connect import receipt
from abreast.engine.client.connect.change import FileRewrite, check, remove_empty, write
from abreast.engine.client.connect.receipt import Trace
from abreast.engine.client.connect.show import diff
from abreast.errors import AgentError, StateError
from abreast.model.connection import Confirm, Connection, FileChange, Scope
from abreast.places import Places

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
            receipt.save(places, proposal.receipt, proposal.config, {})
        return connection
    if confirm is not None and not confirm(connection):
        return connection
    for change in changes:
        check(change)
    if not proposal.remove:
        # First: whatever becomes of us, what was written can be undone.
        receipt.save(places, proposal.receipt, proposal.config, proposal.traces)
    for change in changes:
        write(change)
    if proposal.remove:
        remove_empty(proposal.folders)
        receipt.save(places, proposal.receipt, proposal.config, proposal.traces)
    return replace(connection, applied=True)
