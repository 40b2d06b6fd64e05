"""Connect abreast to a CLI: find out what is to change, show it, change it; or undo it."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from abreast.agents import agent_named
from abreast.agents.connecting import (
    CONNECTABLE,
    Layout,
    Registration,
    Wanted,
    registration,
)
from abreast.engine.connect import json_text, receipt, skill, toml_text
from abreast.engine.connect.change import (
    Change,
    Side,
    check,
    missing_folders,
    read,
    remove_empty,
    write,
)
from abreast.engine.connect.edits import apply, between, reverse
from abreast.engine.connect.entry import entry, server
from abreast.engine.connect.receipt import Trace, digest
from abreast.engine.connect.show import diff
from abreast.engine.connect.undo import entry_in, undo_config, undo_skill, unfit
from abreast.errors import AgentError, NotFoundError, StateError
from abreast.git.repository import find_repository
from abreast.model.connection import Confirm, Connection, FileChange, Scope
from abreast.places import Places

_OWN_PATH = "it names abreast by its path on this machine: on another one, connect there"


@dataclass(frozen=True)
class _Plan:
    wanted: Registration
    changes: tuple[Change, ...]
    traces: Mapping[str, Trace]  # as they are when the changes have been made
    folders: tuple[Path, ...] = ()  # to remove if they are empty then
    notes: tuple[str, ...] = ()


def connect(
    agent: str,
    places: Places,
    environ: Mapping[str, str],
    *,
    top: Path | None = None,
    remove: bool = False,
    confirm: Confirm | None = None,
) -> Connection:
    """Register our server and skill with `agent`, in the project at `top` or for the user.

    With `remove`, undo that. `confirm` is shown what would change; on False nothing does.
    """
    if agent not in CONNECTABLE:
        agent_named(agent)  # a name that is none has its own error
        raise AgentError(
            f"`{agent}` starts no MCP server", hint=f"abreast connect {'|'.join(CONNECTABLE)}"
        )
    if not environ.get("HOME"):
        raise StateError("HOME is not set", hint="its own configuration is found by it")
    with tempfile.TemporaryDirectory(prefix="abreast-") as folder:
        scratch = Path(folder)
        wanted = registration(agent, Wanted(server(), environ, scratch, top))
        known = receipt.load(places, agent, wanted.config)
        mode = 0o600 if top is None else 0o644
        if remove:
            plan = _removal(wanted, known)
        else:
            value = entry(agent, wanted, scratch, environ)
            plan = _addition(wanted, value, known, mode)
        if plan.changes and not remove and top is not None:
            plan = replace(plan, notes=(*plan.notes, _OWN_PATH))
    return _carry_out(agent, places, plan, top, remove=remove, confirm=confirm)


def top_of(folder: Path) -> Path:
    """Return the top of the checkout around `folder`. Raises NotFoundError."""
    top = find_repository(folder).toplevel
    if top is None:
        raise NotFoundError(f"{folder} is in no checkout", hint="--scope user needs none")
    return top


def _carry_out(
    agent: str,
    places: Places,
    plan: _Plan,
    top: Path | None,
    *,
    remove: bool,
    confirm: Confirm | None,
) -> Connection:
    changes = tuple(FileChange(one.path, one.action, diff(one)) for one in plan.changes)
    scope = Scope.USER if top is None else Scope.PROJECT
    connection = Connection(agent, scope, remove, changes, plan.notes)
    if not changes:
        if remove:
            receipt.save(places, agent, plan.wanted.config, {})
        return connection
    if confirm is not None and not confirm(connection):
        return connection
    for change in plan.changes:
        check(change)
    if not remove:
        # First: whatever becomes of us, what was written can be undone.
        receipt.save(places, agent, plan.wanted.config, plan.traces)
    for change in plan.changes:
        write(change)
    if remove:
        remove_empty(plan.folders)
        receipt.save(places, agent, plan.wanted.config, plan.traces)
    return replace(connection, applied=True)


def _skill_file(wanted: Registration) -> Path:
    return wanted.skills / skill.NAME / "SKILL.md"


def _addition(
    wanted: Registration, value: Mapping[str, object], known: Mapping[str, Trace], mode: int
) -> _Plan:
    changes, traces, notes = [], dict(known), []
    found = [_config_change(wanted, value, known.get(str(wanted.config)), mode)]
    path = _skill_file(wanted)
    own = known.get(str(path))
    text = read(path)
    if own is not None and text is not None and not own.left_alone(text) and text != skill.TEXT:
        notes.append(f"{path} was edited since and stays as it is")
    else:
        before = undo_skill(text, own, skill.TEXT).text if own else text
        change = Change(path, text, skill.TEXT, tuple(between(text or "", skill.TEXT)), Side.NEW)
        trace = _trace(replace(change, mode=mode), before, own)
        found.append((replace(change, mode=mode), trace))
    for change, trace in found:
        if change.new != change.old:
            changes.append(change)
            traces[str(change.path)] = trace
    notes += wanted.notes if changes else ()
    return _Plan(wanted, tuple(changes), traces, notes=tuple(notes))


def _config_change(
    wanted: Registration, value: Mapping[str, object], known: Trace | None, mode: int
) -> tuple[Change, Trace]:
    path = wanted.config
    text = read(path)
    put = json_text.put if wanted.layout is Layout.JSON else toml_text.put
    try:
        edits = put(text or "", wanted.keys, value)
        previous = entry_in(wanted, text or "") if known is None else known.previous
        change = Change(path, text, apply(text or "", edits), tuple(edits), Side.NEW, mode)
    except ValueError as wrong:
        raise unfit(wanted, wrong) from wrong
    before = undo_config(wanted, text, known).text if known else text
    trace = _trace(change, before, known)
    kept = _kept(wanted, text or "") if known is None else known.kept
    return change, replace(
        trace, kept=kept, previous=previous if isinstance(previous, dict) else None
    )


def _trace(change: Change, before: str | None, known: Trace | None) -> Trace:
    new = change.new or ""
    undo = reverse(change.edits) if before == change.old else between(new, before or "")
    folders = known.folders if known else tuple(map(str, missing_folders(change.path)))
    return Trace(str(change.path), digest(new), before is not None, tuple(undo), folders)


def _kept(wanted: Registration, text: str) -> int:
    """Return how many of the keys lead to something that is there already."""
    for count in range(len(wanted.keys), 0, -1):
        if entry_in(replace(wanted, keys=wanted.keys[:count]), text) is not None:
            return count
    return 0


def _removal(wanted: Registration, known: Mapping[str, Trace]) -> _Plan:
    changes, notes = [], []
    path = _skill_file(wanted)
    for file in (wanted.config, path):
        trace, text = known.get(str(file)), read(file)
        if file == path:
            undone = undo_skill(text, trace, skill.TEXT)
            if text is not None and undone.text == text:
                notes.append(f"{file} was edited since and stays as it is")
        else:
            undone = undo_config(wanted, text, trace)
        if undone.text != text:
            changes.append(Change(file, text, undone.text, undone.edits, undone.ours))
    made = {Path(one) for trace in known.values() for one in trace.folders} or {path.parent}
    folders = tuple(sorted(made, key=lambda one: len(one.parts)))
    return _Plan(wanted, tuple(changes), {}, folders, tuple(notes))
