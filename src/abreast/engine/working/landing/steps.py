"""Landing: one session after another, tested as merged, then the target moves or stays as it is.

For each session: merge its commit onto the target as it is now (in the object store, no checkout),
run the plan's verify on the merged tree in a scratch worktree, and only then move the target, by
compare-and-swap or, where the target is checked out, by a fast-forward in that checkout. Whatever
goes wrong on the way leaves the target alone and bounces this session, not the queue.
"""

import asyncio
import contextlib
from dataclasses import replace
from pathlib import Path

from abreast.engine.common.layout import landing_stop_file
from abreast.engine.working.landing import pull_request
from abreast.engine.working.landing.candidate import (
    NOTE,
    LandingCandidate,
    bounced,
    landed_as,
    make_candidate,
    notes_folder,
)
from abreast.engine.working.landing.own import brings_others, is_stacked, need_not_landed
from abreast.engine.working.landing.trial import try_merged
from abreast.engine.working.run_steps import has_landed
from abreast.engine.working.session.context import Engine, SessionContext, open_context
from abreast.engine.working.session.preparing import give_back_worktree
from abreast.errors import AbreastError, StateError, StoreError
from abreast.git.advance import AdvanceOutcome, advance
from abreast.git.repository import read_ref, resolve, swap_ref
from abreast.model.session import LandMode, LandState, Session
from abreast.process.files import private_folder, write_atomic
from abreast.runner.supervise import STOPPED_BY_USER
from abreast.store.rows import SessionUpdate

_TRIES = 5  # a target that moves more often than that while we test is somebody else's queue


def to_land(engine: Engine, run: str) -> dict[str, list[str]]:
    """Return the sessions queued for landing, those that others waited for first."""
    found = engine.reader.run(run)
    queued = [s for s in found.sessions if s.landing is LandState.QUEUED] if found else []
    return {"sessions": [session.id for session in in_order(queued)]}


def in_order(sessions: list[Session]) -> list[Session]:
    """Return the sessions so that each comes after those it waited for; else as in the plan."""
    rest, ordered = list(sessions), list[Session]()
    while rest:
        waiting = {session.task for session in rest}
        ready = next(session for session in rest if waiting.isdisjoint(session.waits_for))
        rest.remove(ready)
        ordered.append(ready)
    return ordered


async def land_one(engine: Engine, session: str, generation: int) -> None:
    """Land one session for a run's request `generation`, and record the result.

    What has happened to the target is recorded first. What else goes wrong is a note to it.
    """
    found = await asyncio.to_thread(engine.reader.session, session)
    if found is None:
        return
    landing = found.landing
    if landing is LandState.QUEUED:
        change = await _end_of_landing(engine, session, found.attempt, generation)
        try:
            update = engine.store.update_session
            await asyncio.to_thread(update, session, change, attempt=found.attempt)
        except StateError:
            return  # another attempt at it has been asked for meanwhile
        landing = change.landing
    if landing is LandState.LANDED:
        await asyncio.to_thread(_make_idle, engine, session, found.attempt)


async def _end_of_landing(
    engine: Engine, session: str, attempt: int, generation: int
) -> SessionUpdate:
    context = None
    try:
        context = await asyncio.to_thread(open_context, engine, session, attempt)
        return await _land(context, generation)
    except StoreError:
        raise  # the step is tried again
    except AbreastError as error:
        refused = bounced(error.message, error.hint or "")
    except Exception as error:  # noqa: BLE001 - one landing's boundary: recorded, the queue goes on
        refused = bounced(f"abreast failed: {error!r}", "please report this")
    return await asyncio.to_thread(_unless_landed, context, refused)


def _unless_landed(context: SessionContext | None, refused: SessionUpdate) -> SessionUpdate:
    """Return that the session has landed, with a note, if it failed after the target had moved."""
    if context is None or context.run.land is LandMode.PR:
        return refused
    with contextlib.suppress(AbreastError):
        tip = read_ref(context.repository, _target(context))
        landed = landed_as(context, tip) if tip else ""
        if landed:
            note = f"{context.run.target} has it; afterwards: {refused.reason}"
            return replace(refused, landing=LandState.LANDED, landed=landed, reason=note)
    return refused


def _make_idle(engine: Engine, session: str, attempt: int) -> None:
    """Give back the session's warm worktree; a failure becomes a note on the landing."""
    try:
        give_back_worktree(open_context(engine, session, attempt))
    except StoreError:
        raise
    except (AbreastError, OSError) as failure:
        reason = f"its warm worktree could not be given back: {failure}"
        hint = f"abreast clean {session} --remove"
        engine.store.update_session(session, SessionUpdate(reason=reason, hint=hint))


async def _land(context: SessionContext, generation: int) -> SessionUpdate:
    run = context.run
    if await asyncio.to_thread(context.engine.store.stop_requested, run.id):
        return _stopped(context)
    there = "" if run.land is LandMode.PR else _target(context)
    if broken := await asyncio.to_thread(need_not_landed, context, there):
        reason = f"needs {broken.task}, which has not landed: {_where(broken)}"
        return bounced(reason, f"abreast land {run.id} lands both")
    if run.land is LandMode.PR:
        return await asyncio.to_thread(_propose, context)
    folder = _folder(context, generation)
    for _ in range(_TRIES):
        change = await _try(context, folder)
        if change is not None:
            return change
    return bounced(f"{run.target} moved {_TRIES} times while the merge was being tested")


def _propose(context: SessionContext) -> SessionUpdate:
    """Open the session's pull request, of its own change alone where that is all that may land."""
    commit, target = context.session.commit, _target(context)
    if brings_others(context, target) and not is_stacked(context):
        made = make_candidate(context, resolve(context.repository, target))
        if isinstance(made, SessionUpdate):
            return made
        commit = _on_trial(context, made)
    return pull_request.propose(context, commit)


def _folder(context: SessionContext, generation: int) -> Path:
    return notes_folder(context) / str(generation)


def _target(context: SessionContext) -> str:
    return f"refs/heads/{context.run.target}"


def _where(session: Session) -> str:
    if has_landed(session):
        return f"{session.landed[:12]} is not in the target"
    words = {LandState.NONE: "nobody asked for it", LandState.QUEUED: "it waits for its turn"}
    return words.get(session.landing, f"it is {session.landing}")


async def _try(context: SessionContext, folder: Path) -> SessionUpdate | None:
    """Merge, test, move the target; None when the target has moved meanwhile."""
    run = context.run
    merge = await asyncio.to_thread(_merge, context, folder)
    if isinstance(merge, SessionUpdate):
        return merge
    merged, old = merge
    failed = await try_merged(
        context, merged, folder / merged, landing_stop_file(context.engine.places, run.id)
    )
    if failed == STOPPED_BY_USER:
        return _stopped(context)
    if failed:
        reason = f"on the merge with {run.target}, {failed}"
        return bounced(reason, f"its output: {folder / merged}")
    return await asyncio.to_thread(_advance, context, merged, old)


def _merge(context: SessionContext, folder: Path) -> SessionUpdate | tuple[str, str]:
    """Return what lands the session on the target, and the target; or why there is none."""
    old = resolve(context.repository, _target(context))
    note = folder / f"{NOTE}{old}"
    if note.exists():  # a killed worker made it: its trial may still run
        return note.read_text(encoding="ascii"), old
    made = make_candidate(context, old)
    if isinstance(made, SessionUpdate):
        return made
    merged = _on_trial(context, made)
    write_atomic(private_folder(folder) / note.name, merged)
    return merged, old


def _on_trial(context: SessionContext, made: LandingCandidate) -> str:
    """Keep a candidate while it is tested, tell its story, and return its commit."""
    repo, ref = context.repository, context.layout.ref("trial")
    for kind, text in made.story:
        context.add_event(kind, text)
    # Nothing else reaches it, and `git gc --prune=now` would take it.
    reason = f"abreast: {context.layout.id} on trial"
    swap_ref(repo, ref, made.commit, read_ref(repo, ref), reason=reason)
    return made.commit


def _advance(context: SessionContext, new: str, old: str) -> SessionUpdate | None:
    repo, target, session = context.repository, context.run.target, context.layout.id
    reason, journals = f"abreast: land {session}", context.engine.places.forwards
    moved = advance(repo, target, new=new, old=old, reason=reason, journals=journals)
    if moved.outcome is AdvanceOutcome.MOVED:
        return None
    if moved.outcome is AdvanceOutcome.BLOCKED:
        ref = context.layout.ref("ready")
        swap_ref(repo, ref, new, read_ref(repo, ref), reason=f"abreast: {session} is ready")
        first = "commit your changes there or move them away" if moved.edits else "mend that"
        return SessionUpdate(
            landing=LandState.READY,
            landed=new,
            reason=f"{target} is checked out, and was left as it is: {moved.words}",
            hint=f"{first}, then: abreast land {session}",
        )
    return SessionUpdate(landing=LandState.LANDED, landed=new)


def _stopped(context: SessionContext) -> SessionUpdate:
    hint = f"abreast land {context.run.id}"
    reason = "its landing was stopped by you"
    return SessionUpdate(landing=LandState.NONE, landed="", reason=reason, hint=hint)
