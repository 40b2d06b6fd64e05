"""What a file was like before us: exactly if it is still as we left it, else without our entry."""

from dataclasses import dataclass

from abreast.agents.connecting import Layout, Registration
from abreast.agents.values import at
from abreast.engine.client.connect import json_text, toml_text
from abreast.engine.client.connect.change import Side
from abreast.engine.client.connect.edits import TextEdit, apply, between
from abreast.engine.client.connect.entry import is_ours
from abreast.engine.client.connect.receipt import Trace
from abreast.errors import StateError


@dataclass(frozen=True)
class Undone:
    """`text` is what was there before us, None for no file; `edits` lead to it."""

    text: str | None
    edits: tuple[TextEdit, ...] = ()
    ours: Side = Side.NEITHER


def undo_config(wanted: Registration, text: str | None, trace: Trace | None) -> Undone:
    """Return the configuration without us."""
    if text is None:
        return Undone(None)
    if trace is not None and trace.left_alone(text):
        return _exactly(text, trace)
    found = _cut_exactly(wanted, text, trace) if trace else None
    if found is None:
        found = _without(wanted, text, trace)
    gone = trace is not None and not trace.existed and not _parsed(wanted, found)
    return Undone(None if gone else found, tuple(between(text, "" if gone else found)))


def undo_skill(text: str | None, trace: Trace | None, ours: str) -> Undone:
    """Return the skill as it was before us; a text that somebody has edited stays."""
    if text is None:
        return Undone(None)
    if trace is not None and trace.left_alone(text):
        return _exactly(text, trace)
    if trace is None and text == ours:
        return Undone(None, (TextEdit(0, text, ""),), Side.OLD)
    return Undone(text)


def _exactly(text: str, trace: Trace) -> Undone:
    return Undone(trace.before(text), trace.undo, Side.OLD)


def _cut_exactly(wanted: Registration, text: str, trace: Trace) -> str | None:
    """Return the text without what we put in, where all of it is still there, letter by letter."""
    edits = []
    for edit in trace.undo:
        if not edit.old or text.count(edit.old) != 1:
            return None
        edits.append(TextEdit(text.index(edit.old), edit.old, edit.new))
    found = apply(text, edits)
    try:
        same = _parsed(wanted, found) == _parsed(wanted, _without(wanted, text, trace))
    except StateError:
        return None
    return found if same else None


def _without(wanted: Registration, text: str, trace: Trace | None) -> str:
    """Return the text with our entry taken out, or with the one that was there before."""
    edit = json_text if wanted.layout is Layout.JSON else toml_text
    try:
        if trace is None:
            ours = is_ours(entry_in(wanted, text))
            return apply(text, edit.take(text, wanted.keys, len(wanted.keys))) if ours else text
        if trace.previous is not None and entry_in(wanted, text) is not None:
            return apply(text, edit.put(text, wanted.keys, trace.previous))
        return apply(text, edit.take(text, wanted.keys, trace.kept))
    except ValueError as wrong:
        raise unfit(wanted, wrong) from wrong


def entry_in(wanted: Registration, text: str) -> object:
    """Return what the configuration has at our place, or None."""
    return at(_parsed(wanted, text), *wanted.keys)


def unfit(wanted: Registration, why: ValueError) -> StateError:
    """Return the error for a configuration that cannot be edited."""
    return StateError(
        f"{wanted.config} cannot be edited: {why}",
        hint="nothing was changed; put the file right, or write the entry by hand",
    )


def _parsed(wanted: Registration, text: str) -> object:
    parse = json_text.parse if wanted.layout is Layout.JSON else toml_text.parse
    try:
        return parse(text)
    except ValueError as wrong:
        raise unfit(wanted, wrong) from wrong
