"""Delegations that have begun: wait for them, and collect what came of them.

A name is `RUN` or `RUN/TASK`, and may end in `@N`: then the N-th attempt is meant, which keeps what
it delivered when a newer one has followed.
"""

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from abreast.contract.render import Page, paginate
from abreast.engine.client.watching import wait_for
from abreast.engine.common.deliverables import load, outcome_of
from abreast.engine.common.layout import SessionLayout, layout_of
from abreast.errors import ContractError, NotFoundError
from abreast.model.session import Run, Session, SessionKind
from abreast.model.task import Deliverable
from abreast.places import Places
from abreast.runner.job import STREAM
from abreast.store.reader import Reader


def wait(
    name: str,
    places: Places,
    *,
    timeout: float | None = None,
    given_up: threading.Event | None = None,
    progress: Callable[[Run], None] = lambda _: None,
) -> bool:
    """Wait until the children of this run, or this one child, have ended.

    Returns False when `timeout` seconds were too few, or the caller has `given_up`. An attempt that
    a newer one has followed is not waited for.
    """
    run, task, attempt = parse(name)

    def ended(found: Run) -> bool:
        chosen = [session for session in found.sessions if task in {"", session.task}]
        return all(s.state.final or 0 < attempt < s.attempt for s in chosen)

    found = Reader(places.database).run_by_prefix(run)
    found = wait_for(found.id, places, progress, ended, timeout=timeout, given_up=given_up)
    return ended(found)


def parse(name: str) -> tuple[str, str, int]:
    """Return the run, the task ("": all of them) and the attempt (0: the latest) of a name.

    Raises NotFoundError for a name without a run, and for an attempt that is no number.
    """
    child, at, number = name.partition("@")
    if at and not (number.isascii() and number.isdigit() and len(number) < 10 and int(number)):
        hint = f"attempts are counted from 1: {child}@1"
        raise NotFoundError(f"{name} is not the name of an attempt", hint=hint)
    run, _, task = child.partition("/")
    if not run:  # an unset variable of a shell, say: it does not mean the newest run
        raise NotFoundError(
            f"{name!r} is not the name of a run", hint="`abreast status --all` lists the runs"
        )
    return run, task, int(number or 0)


def collect(name: str, places: Places) -> list[Deliverable]:
    """Return what the children of this run, or this one child, have delivered so far.

    One that is still at work is left out. Raises NotFoundError, and ContractError for a session
    that is no child.
    """
    reader = Reader(places.database)
    prefix, task, attempt = parse(name)
    run = reader.run_by_prefix(prefix)
    chosen = [session for session in run.sessions if task in {"", session.task}]
    for session in chosen:
        if session.kind is not SessionKind.CHILD:
            raise ContractError(
                f"{session.id} is not a delegation", hint=f"abreast status {run.id}"
            )
    if not chosen:
        raise ContractError(f"{run.id} has no child {task}", hint=f"abreast status {run.id}")
    common_dir = Path(run.common_dir)  # the tree itself may have gone
    layouts = [(session, layout_of(session, places, common_dir)) for session in chosen]
    if attempt:
        return [
            found
            for session, layout in layouts
            if (found := _of_attempt(session, layout, attempt)) is not None
        ]
    return [_of(session, layout) for session, layout in layouts if session.state.final]


def _of(session: Session, layout: SessionLayout) -> Deliverable:
    found = load(layout.deliverable)
    if found is not None:
        return found
    # It was stopped before it began, or the disk was full: its session tells what there is.
    reason, stream = session.reason or "nothing came back", layout.job("agent") / STREAM
    if stream.exists():
        reason = f"{reason}; what it said is in {stream}"
    return Deliverable(
        id=session.id,
        outcome=outcome_of(session.state),
        agent=session.agent,
        items=tuple(session.final_message.split("\n")) if session.final_message else (),
        reason=reason,
    )


def _of_attempt(session: Session, layout: SessionLayout, attempt: int) -> Deliverable | None:
    """Return what one attempt delivered, under a name of its own; None while it is at work."""
    if attempt > session.attempt:
        many = "1 attempt" if session.attempt == 1 else f"{session.attempt} attempts"
        raise NotFoundError(f"{session.id} has had {many}, and none is its {attempt}.")
    if attempt == session.attempt:
        return _of(session, layout) if session.state.final else None
    found = load(replace(layout, attempt=attempt).deliverable)
    name = f"{session.id}@{attempt}"
    if found is None:
        raise NotFoundError(f"{name} delivered nothing", hint=f"the latest: {session.id}")
    return replace(found, id=name)


def page(name: str, number: int, places: Places) -> Page:
    """Return a page of one child's deliverable; raises NotFoundError when it has no such page."""
    found = collect(name, places)
    if len(found) != 1:
        what = "has not delivered yet" if not found else f"stands for {len(found)} children"
        raise NotFoundError(f"{name} {what}", hint=f"name one: {parse(name)[0]}/1")
    pages = paginate(found[0].items, found[0].limit_tokens)
    if not pages:
        raise NotFoundError(f"{found[0].id} delivered no text: it is {found[0].outcome}")
    if not 1 <= number <= len(pages):
        raise NotFoundError(f"{found[0].id} has {len(pages)} pages, and no page {number}")
    return pages[number - 1]
