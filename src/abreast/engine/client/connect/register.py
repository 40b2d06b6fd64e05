"""Connect abreast to a CLI: find out what is to change, show it, change it; or undo it."""

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from abreast.agents import agent_named, connectable
from abreast.agents.connecting import Layout, Registration, Wanted
from abreast.engine.client.connect import json_text, receipt, skill, toml_text
from abreast.engine.client.connect.change import (
    FileRewrite,
    Side,
    read,
)
from abreast.engine.client.connect.edits import apply, between
from abreast.engine.client.connect.entry import entry, server
from abreast.engine.client.connect.proposal import Proposal, carry_out, require_part
from abreast.engine.client.connect.receipt import Trace, trace_of
from abreast.engine.client.connect.undo import entry_in, undo_config, undo_skill, unfit
from abreast.errors import NotFoundError
from abreast.git.repository import find_repository
from abreast.model.connection import Confirm, Connection, Scope
from abreast.places import Places, find_places

_OWN_PATH = "it names abreast by its path on this machine: on another one, connect there"


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
    connector = require_part(
        agent_named(agent).connection,
        environ,
        f"`{agent}` starts no MCP server",
        f"abreast connect {'|'.join(connectable())}",
    )
    scope = Scope.USER if top is None else Scope.PROJECT
    with tempfile.TemporaryDirectory(prefix="abreast-") as folder:
        scratch = Path(folder)
        wanted = connector.registration(Wanted(server(), environ, scratch, top))
        known = receipt.load(places, agent, wanted.config)
        mode = 0o600 if top is None else 0o644
        if remove:
            proposal = _removal(agent, wanted, known)
        else:
            value = entry(agent, wanted, scratch, environ)
            proposal = _addition(agent, wanted, value, known, mode)
        if proposal.changes and not remove and top is not None:
            proposal = replace(proposal, notes=(*proposal.notes, _OWN_PATH))
    return carry_out(replace(proposal, scope=scope), places, confirm)


def require_top(folder: Path) -> Path:
    """Return the top of the checkout around `folder`. Raises NotFoundError."""
    top = find_repository(folder, worktrees=find_places().worktrees).toplevel
    if top is None:
        raise NotFoundError(f"{folder} is not in a checkout", hint="--scope user needs none")
    return top


def _skill_file(wanted: Registration) -> Path:
    return wanted.skills / skill.NAME / "SKILL.md"


def _addition(
    agent: str,
    wanted: Registration,
    value: Mapping[str, object],
    known: Mapping[str, Trace],
    mode: int,
) -> Proposal:
    changes, traces, notes = [], dict(known), []
    found = [_config_change(wanted, value, known.get(str(wanted.config)), mode)]
    path = _skill_file(wanted)
    own = known.get(str(path))
    text = read(path)
    if own is not None and text is not None and not own.left_alone(text) and text != skill.TEXT:
        notes.append(f"{path} was edited since and stays as it is")
    else:
        before = undo_skill(text, own, skill.TEXT).text if own else text
        change = FileRewrite(
            path, text, skill.TEXT, tuple(between(text or "", skill.TEXT)), Side.NEW
        )
        trace = trace_of(replace(change, mode=mode), before, own)
        found.append((replace(change, mode=mode), trace))
    for change, trace in found:
        if change.new != change.old:
            changes.append(change)
            traces[str(change.path)] = trace
    notes += wanted.notes if changes else ()
    return Proposal(
        agent, agent, wanted.config, tuple(changes), traces, remove=False, notes=tuple(notes)
    )


def _config_change(
    wanted: Registration, value: Mapping[str, object], known: Trace | None, mode: int
) -> tuple[FileRewrite, Trace]:
    path = wanted.config
    text = read(path)
    put = json_text.put if wanted.layout is Layout.JSON else toml_text.put
    try:
        edits = put(text or "", wanted.keys, value)
        previous = entry_in(wanted, text or "") if known is None else known.previous
        change = FileRewrite(path, text, apply(text or "", edits), tuple(edits), Side.NEW, mode)
    except ValueError as wrong:
        raise unfit(wanted, wrong) from wrong
    before = undo_config(wanted, text, known).text if known else text
    trace = trace_of(change, before, known)
    kept = _kept(wanted, text or "") if known is None else known.kept
    return change, replace(
        trace, kept=kept, previous=previous if isinstance(previous, dict) else None
    )


def _kept(wanted: Registration, text: str) -> int:
    """Return how many of the keys lead to something that is there already."""
    for count in range(len(wanted.keys), 0, -1):
        if entry_in(replace(wanted, keys=wanted.keys[:count]), text) is not None:
            return count
    return 0


def _removal(agent: str, wanted: Registration, known: Mapping[str, Trace]) -> Proposal:
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
            changes.append(FileRewrite(file, text, undone.text, undone.edits, undone.ours))
    made = {Path(one) for trace in known.values() for one in trace.folders} or {path.parent}
    folders = tuple(sorted(made, key=lambda one: len(one.parts)))
    return Proposal(
        agent,
        agent,
        wanted.config,
        tuple(changes),
        {},
        remove=True,
        folders=folders,
        notes=tuple(notes),
    )
