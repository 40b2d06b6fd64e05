"""The queue of a target: who waits in it, in which order, and how each landing ended.

All runs that land on the same branch of a repository share one queue. Whoever has the turn lands
all that waits. A session's commit is merged onto the target as it is now (in the object store, no
checkout), the plan's verify runs on the merged tree in a scratch worktree, and only then the target
moves, by compare-and-swap or, where it is checked out, by a fast-forward in that checkout. Whatever
goes wrong on the way leaves the target alone and bounces that session, not the queue.
"""

import asyncio
import contextlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from abreast.engine.common.home import is_at_home
from abreast.engine.working.landing import pull_request
from abreast.engine.working.landing.batch import (
    Ended,
    lacks,
    land_together,
    stopped,
    stopped_in,
    target_of,
    tell,
)
from abreast.engine.working.landing.candidate import (
    bounced,
    landed_as,
    make_candidate,
    refused_by,
)
from abreast.engine.working.landing.meanwhile import now_and_then
from abreast.engine.working.landing.order import Waiting, in_order, look_at
from abreast.engine.working.landing.own import brings_others, is_stacked, need_not_landed
from abreast.engine.working.landing.undone import note_undone
from abreast.engine.working.mishap import REPORT, in_words, log_trace, plain
from abreast.engine.working.run_steps import close_landing
from abreast.engine.working.session.context import (
    Engine,
    SessionContext,
    guarded_repository,
    open_context,
)
from abreast.engine.working.session.fork_server import fork_server
from abreast.engine.working.session.preparing import give_back_worktree
from abreast.errors import AbreastError, StateError, StoreError
from abreast.git.repository import read_ref, resolve
from abreast.model.session import LandMode, LandOrder, LandState, Run, RunState, Session
from abreast.process.environment import allow
from abreast.store.rows import UNSET, SessionUpdate


@dataclass(frozen=True)
class QueueTurn:
    """All that waits on a target: sessions in the order of landing, runs with their requests."""

    sessions: tuple[str, ...] = ()
    runs: Mapping[str, int] = field(default_factory=dict)


def open_turn(engine: Engine, run: str) -> QueueTurn:
    """Return what waits on the target of a run, of all runs that are at home here."""
    own = engine.reader.run(run)
    if own is None:
        return QueueTurn()
    same = (own.common_dir, own.target)
    runs = [
        one
        for one in reversed(engine.reader.active())  # the oldest first
        if one.state is RunState.LANDING
        and (one.common_dir, one.target) == same
        and is_at_home(one.id, engine.places)
    ]
    queued = [s for one in runs for s in one.sessions if s.landing is LandState.QUEUED]
    ordered = _ordered(engine, own, queued)
    return QueueTurn(tuple(ordered), {one.id: one.generation for one in runs})


def _ordered(engine: Engine, run: Run, queued: Sequence[Session]) -> list[str]:
    try:
        repository = guarded_repository(run.id, run.repo, engine.places)
        waiting = look_at(repository, queued, run.target)
        return [place.session for place in in_order(waiting, run.land_order)]
    except StoreError:
        raise
    except Exception:  # noqa: BLE001 - each landing will say what is wrong
        waiting = [Waiting(s.id, frozenset(f"{s.run}/{t}" for t in s.waits_for)) for s in queued]
        return [place.session for place in in_order(waiting, LandOrder.AS_GIVEN)]


def to_land(engine: Engine, run: str) -> dict[str, list[str]]:
    """Return the sessions of a run that wait, as workflows of older versions ask for them."""
    turn = open_turn(engine, run)
    return {"sessions": [name for name in turn.sessions if name.startswith(f"{run}/")]}


async def land_one(engine: Engine, session: str, generation: int) -> None:
    """Land one session, as workflows of older versions ask for it."""
    await land_next(engine, [session], {session.partition("/")[0]: generation})


async def land_next(engine: Engine, waiting: list[str], asked: dict[str, int]) -> list[str]:
    """Land the first of those that wait, and what may land with it; return those that are through.

    `asked` has the request for which each run waits: more may be asked of a run meanwhile.
    What has happened to the target is recorded first. What else goes wrong is a note to it.
    """
    through, batch = await asyncio.to_thread(_take, engine, waiting)
    if batch:
        async with now_and_then(partial(_end_stopped, engine, set(map(_run_of, batch)))):
            ended = await _end_of_landings(engine, batch, asked)
        for name, change in ended.items():
            await asyncio.to_thread(_record, engine, name, batch[name], change)
        through += ended
    left = {_run_of(name) for name in waiting if name not in through}
    for run in {_run_of(name) for name in through} - left:
        if run in asked:  # who waits for it need not wait for those of others
            try:
                await asyncio.to_thread(close_landing, engine, run, asked[run])
            except StoreError:
                raise
            except Exception:  # noqa: BLE001 - at the end of the turn it is tried again
                log_trace(f"closing {run}")
    return through


def _run_of(session: str) -> str:
    return session.partition("/")[0]


def _end_stopped(engine: Engine, busy: Collection[str]) -> None:
    """End the landings of runs that were asked to stop, and wait for what is on trial.

    Those of the runs in `busy` are on trial themselves, and are ended with that.
    """
    at = engine.reader.run(next(iter(busy)))
    for run in engine.reader.requests() if at else ():
        here = run.state is RunState.LANDING and is_at_home(run.id, engine.places)
        same = at and (run.common_dir, run.target) == (at.common_dir, at.target)
        if run.id in busy or not (here and same and engine.store.stop_requested(run.id)):
            continue
        for session in engine.reader.sessions(run.id):
            if session.landing is LandState.QUEUED:
                _record(engine, session.id, session.attempt, stopped_in(run.id))
        close_landing(engine, run.id, run.generation)


def _take(engine: Engine, waiting: Sequence[str]) -> tuple[list[str], dict[str, int]]:
    """Return those of `waiting` that wait no more, and the next batch, each with its attempt."""
    through, batch = list[str](), dict[str, int]()
    head: SessionContext | None = None
    for name in waiting:
        session = engine.reader.session(name)
        if session is None or session.landing is not LandState.QUEUED:
            through.append(name)
            if session is not None and session.landing is LandState.LANDED:
                _after_landing(engine, name, session.attempt)
            continue
        if head is None:
            batch[name] = session.attempt
            try:
                head = open_context(engine, name, session.attempt)
            except StoreError:
                raise
            except Exception:  # noqa: BLE001 - its landing says what is wrong
                break
        elif _alike(head, engine, session):
            batch[name] = session.attempt
        if head.run.land is LandMode.PR or len(batch) >= head.run.land_batch:
            break
    if head is not None and head.task.commands and head.run.land is LandMode.MERGE:
        fork_server.prepare()
    return through, batch


def _alike(head: SessionContext, engine: Engine, session: Session) -> bool:
    """Return whether a session is tested as the first of a batch is, and lands as that does.

    One of another run may be: by the same commands, under the same limits, with the same variables.
    """
    if session.run == head.run.id:
        return head.plan.by_id()[session.task].commands == head.task.commands
    try:
        context = open_context(engine, session.id, session.attempt)
    except StoreError:
        raise
    except Exception:  # noqa: BLE001 - its own landing says what is wrong
        return False
    return _how_tested(context) == _how_tested(head)


def _how_tested(context: SessionContext) -> tuple[object, ...]:
    run, plan = context.run, context.plan
    limits = plan.setup_timeout_minutes, plan.verify_timeout_minutes
    env = allow(context.environment(), also=plan.pass_env)
    return context.task.commands, limits, env, run.land, run.land_batch, run.land_tests


def _record(engine: Engine, session: str, attempt: int, change: SessionUpdate) -> None:
    try:
        _write(engine, session, attempt, change)
    except StoreError:
        raise
    except Exception as error:  # noqa: BLE001 - what has happened is told, in words that fit
        log_trace(f"recording the landing of {session}")
        told = [plain(change.reason)] if isinstance(change.reason, str) and change.reason else []
        reason = "; ".join([*told, in_words(error)])
        end = replace(change, reason=reason, hint=REPORT, mending=UNSET)
        try:
            _write(engine, session, attempt, end)
        except StoreError:
            raise
        except Exception:  # noqa: BLE001 - what others wait for goes on
            log_trace(f"recording the landing of {session} in other words")


def _write(engine: Engine, session: str, attempt: int, change: SessionUpdate) -> None:
    stopping = engine.store.stop_requested(session.partition("/")[0])
    try:
        if change.mending is not UNSET and not stopping:
            engine.store.begin_repair(session, change, attempt=attempt)
            return
        ended = change.landing is not LandState.QUEUED
        change = replace(change, mending="") if ended else change
        engine.store.update_session(session, change, attempt=attempt)
    except StateError:
        return  # another attempt at it has been asked for meanwhile
    if change.landing is LandState.LANDED:
        _after_landing(engine, session, attempt)


def _after_landing(engine: Engine, session: str, attempt: int) -> None:
    note_undone(engine, session)
    _make_idle(engine, session, attempt)


async def _end_of_landings(
    engine: Engine, batch: Mapping[str, int], asked: Mapping[str, int]
) -> Ended:
    contexts = list[SessionContext]()
    first = next(iter(batch))
    try:
        for name, attempt in batch.items():
            context = await asyncio.to_thread(open_context, engine, name, attempt)
            # The folder of its trials has this in its name: a worker that takes over looks there.
            request = asked.get(context.run.id, context.run.generation)
            contexts.append(replace(context, run=replace(context.run, generation=request)))
        if contexts[0].run.land is LandMode.PR:
            return {first: await asyncio.to_thread(_propose, contexts[0])}
        return await land_together(contexts)
    except StoreError:
        raise  # the step is tried again
    except AbreastError as error:
        refused = refused_by(error, contexts[0] if contexts else None)
    except Exception as error:  # noqa: BLE001 - one landing's boundary: recorded, the queue goes on
        log_trace(f"landing {', '.join(batch)}")
        refused = bounced(in_words(error), REPORT)
    if len(batch) > 1:  # it may be the fault of any of them
        return await _end_of_landings(engine, {first: batch[first]}, asked)
    only = contexts[0] if contexts else None
    return {first: await asyncio.to_thread(unless_landed, only, refused)}


def unless_landed(context: SessionContext | None, refused: SessionUpdate) -> SessionUpdate:
    """Return that the session has landed, with a note, if it failed after the target had moved."""
    if context is None or context.run.land is LandMode.PR:
        return refused
    with contextlib.suppress(AbreastError):
        tip = read_ref(context.repository, target_of(context))
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
    except Exception as failure:  # noqa: BLE001 - it has landed; the queue goes on
        reason = f"its warm worktree could not be given back: {failure}"
        hint = f"abreast clean {session} --remove"
        engine.store.update_session(session, SessionUpdate(reason=reason, hint=hint))


def _propose(context: SessionContext) -> SessionUpdate:
    """Open the session's pull request, of its own change alone where that is all that may land."""
    if context.engine.store.stop_requested(context.run.id):
        return stopped(context)
    if broken := need_not_landed(context, ""):
        return lacks(context, broken)
    commit, target = context.session.commit, target_of(context)
    if brings_others(context, target) and not is_stacked(context):
        made = make_candidate(context, resolve(context.repository, target))
        if isinstance(made, SessionUpdate):
            return made
        tell(context, made)
        commit = made.commit
    return pull_request.propose(context, commit)
