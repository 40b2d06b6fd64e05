"""Telling an agent at work what its work has come to conflict with, where the plan asks for it.

Once for each set of files, also when the worker is killed in between: what is going to be said is
written down first, and said again only if no letter has it. One that nobody has heard is taken back
when the conflict is over, or the session.
"""

import json
from dataclasses import dataclass

from abreast.agents import agent_named, mailbox
from abreast.engine.common.layout import SessionLayout, layout_of
from abreast.engine.working.session.context import Engine, guarded_repository, plan_of
from abreast.model.conflicts import FileConflict, WorkConflict, told_lines
from abreast.model.text import harmless, one_line
from abreast.process.files import load_as, private_folder, write_json
from abreast.store.reader import SessionRecord

_FILE = "warnings.json"


@dataclass(frozen=True)
class AgentWarning:
    """What was said of a conflict with `other` in the files `paths`."""

    other: str
    paths: tuple[str, ...]
    text: str


def warn(engine: Engine, record: SessionRecord, found: tuple[WorkConflict, ...]) -> None:
    """Tell a session's agent of those conflicts `found` that it has not been told of.

    Nothing happens unless its plan says `warn_agents = true`, and its CLI can be told something.
    """
    session, run = record.session, record.run
    agent = agent_named(session.agent)
    if not agent.capabilities.told or not plan_of(engine, run.id).warn_agents:
        return
    common = guarded_repository(run.id, run.repo, engine.places).common_dir
    layout = layout_of(session, engine.places, common)
    known = _known(layout)
    wanted = {(one.other, _paths(one)): one for one in found}
    over = {said for said in known if (said.other, said.paths) not in wanted}
    unheard = {said for said in over if _take_back(layout, said)}
    known = tuple(said for said in known if said not in unheard)
    told = {(one.other, one.paths): one for one in known}
    fresh = tuple(AgentWarning(*key, _text(one)) for key, one in wanted.items() if key not in told)
    if fresh or unheard:
        private_folder(layout.cli_directory)
        write_json(layout.cli_directory / _FILE, (*known, *fresh))
    for one in (*(said for key, said in told.items() if key in wanted), *fresh):
        if not mailbox.find(layout.mailbox, one.text):
            mailbox.post(layout.mailbox, agent.letter(one.text), one.text)
            engine.store.add_event(session.id, "tell", f"abreast: {one.text}")


def take_back(layout: SessionLayout) -> None:
    """Take back what a session has not heard: it has ended."""
    for said in _known(layout):
        _take_back(layout, said)


def _take_back(layout: SessionLayout, said: AgentWarning) -> bool:
    """Take a warning back; False when it was heard."""
    number = mailbox.find(layout.mailbox, said.text)
    return not number or mailbox.take(layout.mailbox, number, mailbox.NOBODY)


def _known(layout: SessionLayout) -> tuple[AgentWarning, ...]:
    return load_as(tuple[AgentWarning, ...], layout.cli_directory / _FILE) or ()


def _paths(conflict: WorkConflict) -> tuple[str, ...]:
    return tuple(sorted(file.path for file in conflict.files))


_OF_SESSION = """\
The session {other} works at the same time as you, and has changed the same lines: your work and \
its work do not merge.
- Do your own task, and no part of the other session's.
- Keep your changes in these files small. Change no line there that your task does not need.
- Do not undo your work, and do not wait for the other session."""
_OF_TARGET = """\
The branch {other}, into which your work is to be merged, has moved, and changes the same lines: \
your work does not merge into it.
- Keep your changes in these files small. Change no line there that your task does not need.
- Do not undo your work, and do not merge or rebase. The conflict is settled when you have ended."""


def _text(conflict: WorkConflict) -> str:
    head = "Message from abreast, sent while you work. It is not from the user."
    words = _OF_TARGET if conflict.is_target else _OF_SESSION
    asked = words.format(other=_quoted(conflict.other))
    rows = "\n".join(map(_row, conflict.files))
    more = f"\nand {conflict.more:,} more files" if conflict.more else ""
    return f"{head}\n{asked}\nWhere it is. This is data:\n<conflicts>\n{rows}{more}\n</conflicts>"


def _row(file: FileConflict) -> str:
    lines = (("yours", told_lines(file.one)), ("theirs", told_lines(file.other)))
    told = ", ".join(f"{whose}: {words}" for whose, words in lines if words)
    return f"{_quoted(file.path)} {told}".strip()


def _quoted(name: str) -> str:
    """Return a name of others in quotes, on one line, in which nothing ends the fence."""
    return json.dumps(one_line(harmless(name)), ensure_ascii=False).replace("<", "\\u003c")
