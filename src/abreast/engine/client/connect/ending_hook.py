"""Handoffs as a CLI's own session-end hook: put into its configuration, taken out, and run."""

import shlex
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from abreast.agents import agent_named, hooked
from abreast.agents.parts import EVENT, EndingHook, Layout, told
from abreast.engine.client.connect import json_text, toml_text
from abreast.engine.client.connect.change import (
    FileRewrite,
    Side,
    TextEdit,
    apply,
    between,
    read,
)
from abreast.engine.client.connect.entry import server
from abreast.engine.client.connect.proposal import (
    Proposal,
    Trace,
    carry_out,
    load_receipt,
    require_part,
    trace_of,
)
from abreast.engine.reading.handoff.writing import by_hand, place_for
from abreast.engine.reading.handoff.writing import write as write_handoff
from abreast.engine.reading.transcripts import open_transcript
from abreast.errors import StateError
from abreast.model.changes import Confirm, Connection
from abreast.places import Places
from abreast.process.environment import SESSION
from abreast.process.files import private_folder

_WORDS = ("handoff", "--hooked")


def hook(
    agent: str,
    places: Places,
    environ: Mapping[str, str],
    *,
    remove: bool = False,
    confirm: Confirm | None = None,
) -> Connection:
    """Have the CLI of `agent` write a handoff when a session of it ends; `remove` undoes that.

    `confirm` is shown what would change; on False nothing does. Raises StateError when its
    configuration cannot be edited, AgentError for an agent that has no such hook.
    """
    ending_hook = require_part(
        agent_named(agent).ending_hook,
        environ,
        f"`{agent}` has no session-end hook",
        f"abreast handoff --hook {'|'.join(hooked())}",
    )
    wanted = ending_hook(_command(agent), environ)
    known = load_receipt(places, _receipt(agent), wanted.config).get(str(wanted.config))
    try:
        proposal = _removal(agent, wanted, known) if remove else _addition(agent, wanted, known)
    except ValueError as wrong:
        raise StateError(
            f"{wanted.config} cannot be edited: {wrong}",
            hint="nothing was changed; correct the file, or add the hook by hand",
        ) from wrong
    if not remove:
        text = proposal.changes[0].new or ""
        proposal = replace(proposal, notes=_notes(wanted, places, text))
    return carry_out(proposal, places, confirm)


def ended(payload: str, places: Places, environ: Mapping[str, str]) -> Path | None:
    """Write the handoff of a session that a CLI says has ended; return where, None for nowhere.

    A session of abreast's own has one already, and one in which nothing happened needs none.
    """
    if environ.get(SESSION):
        return None
    transcript, folder = told(payload)
    if transcript is None:
        raise StateError(
            "the hook received no transcript", hint="the CLI may be newer than this abreast"
        )
    found = open_transcript(transcript, places, environ)
    place = folder or Path(found.cwd or ".")
    if not found.events or not place.is_dir():
        return None
    file = place_for(place, places)
    private_folder(file.parent)
    return write_handoff(by_hand(found, environ, folder=place), file)


def _command(agent: str) -> str:
    return shlex.join((*server()[:-1], *_WORDS, agent))


def _is_ours(group: Any, agent: str) -> bool:
    """Return whether an abreast, this one or another, has written this group of hooks."""
    hooks = group.get("hooks") if isinstance(group, Mapping) else None
    if not isinstance(hooks, list) or len(hooks) != 1 or not isinstance(hooks[0], Mapping):
        return False
    try:
        words = shlex.split(str(hooks[0].get("command", "")))
    except ValueError:
        return False
    program = words[: -len(_WORDS) - 1]
    started = program[1:] == ["-m", "abreast"] or [Path(w).name for w in program] == ["abreast"]
    return words[len(program) :] == [*_WORDS, agent] and started


def _receipt(agent: str) -> str:
    return f"{agent}-handoff"


def _notes(wanted: EndingHook, places: Places, text: str) -> tuple[str, ...]:
    place = places.handoff_of(Path("/CHECKOUT")).parent.parent
    where = f"handoffs go to {place}/CHECKOUT-…/CURRENT_WORK.md, or into a checkout itself"
    notes = [f"{where} where git ignores CURRENT_WORK.md"]
    settings = json_text.parse(text) if wanted.layout is Layout.JSON else tomllib.loads(text)
    if off := wanted.hooks_off(settings):
        notes.insert(
            0, f"`{off}` in {wanted.config} has it run no hook at all: none is written yet"
        )
    return tuple(notes)


def _groups(wanted: EndingHook, text: str) -> list[Any]:
    if wanted.layout is Layout.JSON:
        return json_text.items(text, EVENT)
    return toml_text.items(text, EVENT)


def _addition(agent: str, wanted: EndingHook, known: Trace | None) -> Proposal:
    path, text = wanted.config, read(wanted.config)
    old = text or ""
    groups = _groups(wanted, old)
    mine = [number for number, group in enumerate(groups) if _is_ours(group, agent)]
    if mine and groups[mine[0]] == wanted.group:
        same = FileRewrite(path, text, text, (), Side.NEITHER)
        return Proposal(agent, _receipt(agent), path, (same,), {}, remove=False)
    edits = _put(wanted, old, groups, mine)
    new = apply(old, edits)
    change = FileRewrite(path, text, new, tuple(edits), Side.NEW)
    before = _without(agent, wanted, old, known)[0] if mine else text
    kept = known.kept if known else _kept(wanted, old)
    traces = {str(path): replace(trace_of(change, before, known), kept=kept)}
    return Proposal(agent, _receipt(agent), path, (change,), traces, remove=False)


def _put(
    wanted: EndingHook, old: str, groups: Sequence[Any], mine: Sequence[int]
) -> list[TextEdit]:
    if wanted.layout is Layout.JSON:
        if mine:
            return json_text.change(old, EVENT, mine[0], dict(wanted.group))
        return json_text.add(old, EVENT, dict(wanted.group))
    text = old
    if mine:  # an older one of ours: out, and in again at the end
        text = apply(text, toml_text.drop(text, EVENT, mine[0], list(wanted.beside(mine[0]))))
    number = len(groups) - bool(mine)
    text = apply(text, toml_text.add(text, EVENT, wanted.group, wanted.beside(number)))
    return between(old, text)


def _removal(agent: str, wanted: EndingHook, known: Trace | None) -> Proposal:
    text = read(wanted.config)
    found, edits = _without(agent, wanted, text or "", known) if text is not None else (None, [])
    change = FileRewrite(
        wanted.config, text, found, tuple(edits), Side.OLD if edits else Side.NEITHER
    )
    return Proposal(
        agent,
        _receipt(agent),
        wanted.config,
        (change,),
        {},
        remove=True,
        folders=tuple(map(Path, known.folders)) if known else (),
    )


def _without(
    agent: str, wanted: EndingHook, text: str, known: Trace | None
) -> tuple[str | None, list[TextEdit]]:
    """Return the text without our hook, None for no file, and the edits that lead there."""
    if known is not None and known.left_alone(text):
        return known.before(text), list(known.undo)
    groups = _groups(wanted, text)
    mine = [number for number, group in enumerate(groups) if _is_ours(group, agent)]
    if not mine:
        return text, []
    if wanted.layout is Layout.JSON:
        edits = json_text.drop(text, EVENT, mine[0], known.kept if known else 0)
    else:
        edits = toml_text.drop(text, EVENT, mine[0], list(wanted.beside(mine[0])))
    return apply(text, edits), edits


def _kept(wanted: EndingHook, text: str) -> int:
    """Return how many of the keys lead to something that is there already."""
    if wanted.layout is Layout.TOML:
        return 0
    return sum(json_text.find(text, EVENT[: n + 1]) is not None for n in range(len(EVENT)))
