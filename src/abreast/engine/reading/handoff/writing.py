"""Handoffs of a transcript and git: written, reworded by an agent, and held against HEAD.

An agent rewords a handoff under a contract; its words are used only if no fact changed.
"""

import math
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from abreast.contract.render import fence
from abreast.engine.reading.handoff.git import (
    NAME,
    checkout_around,
    now_of,
    short,
    state_around,
    top_of,
)
from abreast.errors import NotFoundError, StateError
from abreast.git.changes import is_ignored
from abreast.handoff.compose import compose
from abreast.handoff.facts import SessionFacts
from abreast.handoff.fresh import judge
from abreast.handoff.masking import secrets_of
from abreast.handoff.page import Pen, assemble, body, problems, question, read_header, sections
from abreast.handoff.transcript import transcript_facts
from abreast.model.economy import count_tokens
from abreast.model.handoff import TOKENS, Freshness, Handoff, Header
from abreast.model.limits import Limits
from abreast.model.task import Contract, Deliverable
from abreast.model.transcript import Transcript
from abreast.places import Places
from abreast.process import clock
from abreast.process.files import write_atomic


def by_hand(
    transcript: Transcript,
    environ: Mapping[str, str],
    *,
    tokens: int = TOKENS,
    folder: Path | None = None,
) -> Handoff:
    """Return the handoff of a session that somebody started by hand.

    Its checkout is the one in which it began, and that around `folder` only when its record does
    not say where that was: of another checkout nothing would be true.
    """
    place = Path(transcript.cwd) if transcript.cwd else folder
    there = place is not None and place.is_dir()
    checkout = state_around(place, begun=transcript.begun) if place and there else None
    facts = SessionFacts(
        transcript=transcript_facts(transcript),
        cwd=transcript.cwd or str(place or ""),
        within=_within(place, checkout.top if checkout else ""),
        gone=not there,
        pen=Pen(secrets_of(environ)),
    )
    facts = replace(facts, checkout=checkout) if checkout is not None else facts
    return compose(facts, header_of(facts, transcript.agent, transcript.session), tokens)


def header_of(facts: SessionFacts, agent: str, session: str, *, of: str = "") -> Header:
    """Return the header of a handoff that is written now."""
    now = facts.checkout
    return Header(
        agent=agent,
        session=session or "unknown",
        at=float(math.ceil(clock.wall())),  # never before what it has seen
        commit=short(now.head),
        branch=now.branch,
        work=now.work,
        of=of,
    )


def _within(folder: Path | None, top: str) -> str:
    """Return where in the checkout `folder` is, "" for its top."""
    if folder is None or not top:
        return ""
    real = folder.resolve()
    inside = real.is_relative_to(Path(top).resolve())
    found = str(real.relative_to(Path(top).resolve())) if inside else "."
    return "" if found == "." else found


def write(found: Handoff, file: Path, *, force: bool = False) -> Path:
    """Write a handoff to `file`; raises StateError when something else stands there."""
    if file.is_dir():
        file = file / NAME
    if not force and os.path.lexists(file):
        old = _read(file)
        if old.strip() and read_header(old) is None:
            raise StateError(
                f"{file} is not a handoff of abreast and was not overwritten",
                hint="`--force` overwrites it, `--out` names another file",
            )
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(Path(os.path.realpath(file)), found.text, mode=0o644)
    except (FileExistsError, NotADirectoryError) as failure:
        raise StateError(f"{file} cannot be written: {file.parent} is not a folder") from failure
    except OSError as failure:
        raise StateError(f"{file} cannot be written: {failure.strerror}") from failure
    return file


def check(file: Path | None, folder: Path, places: Places) -> Freshness:
    """Return whether a handoff is stale against the checkout around it.

    Without `file` it is the one in `folder`, at the top of its checkout, or where the session-end
    hook puts it. Raises NotFoundError when there is none, StateError when it is none of ours or
    there is no repository to hold it against, GitError when git does not read that.
    """
    found = file if file is not None else _nearest(folder, places)
    header = read_header(_read(found))
    if header is None:
        raise StateError(f"{found} is not a handoff of abreast", hint="`abreast handoff` makes one")
    near = found.resolve().parent
    place = near if file is not None and top_of(near) is not None else folder
    where = checkout_around(place)
    if where is None:
        raise StateError(
            f"{place} is not in a git repository: abreast cannot tell whether {found} is stale",
            hint="run it inside the checkout that the handoff is about",
        )
    return replace(judge(header, now_of(where, header)), file=str(found))


def _nearest(folder: Path, places: Places) -> Path:
    tried = [folder / NAME, (top_of(folder) or folder) / NAME, kept_place(folder, places)]
    found = next((one for one in tried if one.is_file()), None)
    if found is None:
        raise NotFoundError(
            f"there is no {NAME} in {folder}", hint=f"`abreast handoff --out {NAME}` writes one"
        )
    return found


def place_for(folder: Path, places: Places) -> Path:
    """Return where a handoff goes that nobody has asked for: never where git would see it.

    That is the checkout itself where its owner lets git ignore the file, else the state folder.
    """
    top = top_of(folder)
    where = checkout_around(folder) if top else None
    if top is not None and where is not None and is_ignored(where, NAME):
        return top / NAME
    return kept_place(folder, places)


def kept_place(folder: Path, places: Places) -> Path:
    """Return where the state folder keeps the handoff of a checkout."""
    top = top_of(folder) or folder.resolve()
    return places.handoff_of(top)


def _read(file: Path) -> str:
    try:
        with file.open(encoding="utf-8", errors="replace") as opened:
            return opened.read(200_000)
    except OSError as failure:
        raise NotFoundError(f"{file} cannot be read: {failure.strerror}") from failure


_BUDGET = Limits(minutes=5, idle_minutes=3, turns=6)


def polish(draft: Handoff, limit: int, ask: Callable[[Contract], Deliverable]) -> Handoff:
    """Return `draft` as reworded by the agent that `ask` asks, or unchanged with a note why."""
    asked = Contract(
        question(fence(body(draft), source=NAME, name="draft")),
        constraints=("Do not read any file: use only the draft.",),
        success="the reworded text is complete",
        limit_tokens=limit,
        budget=_BUDGET,
    )
    found = ask(asked)
    if not found.outcome.valid:
        reason = f": {found.reason}" if found.reason else ""
        return _kept(draft, f"{found.agent} gave no text ({found.outcome}{reason})")
    said = found.text.strip()
    if wrong := problems(draft, said, limit):
        return _kept(draft, f"{found.agent} changed facts: {'; '.join(wrong[:5])}")
    text = assemble(draft, said)
    parts = [tuple(line.removeprefix("- ") for line in lines) for lines in sections(said).values()]
    return replace(
        draft,
        right_now=" ".join(parts[0]),
        why=parts[1],
        next_step=parts[2],
        context=parts[3],
        text=text,
        tokens=count_tokens(text),
        notes=(*draft.notes, f"worded by {found.agent}; its facts are those of the draft"),
    )


def _kept(draft: Handoff, why: str) -> Handoff:
    return replace(draft, notes=(*draft.notes, f"the draft was kept: {why}"))
