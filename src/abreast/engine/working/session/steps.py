"""The stages of a session as DBOS steps: each may run twice, and then finds its work done.

A stage returns None to go on, or the ending. Blocking work happens in threads, so that one worker
serves many sessions, and for a bounded time: a thread cannot be ended, but nobody has to wait for
it. One that hangs (a file system that is away, a git that waits) is left to itself; the session
ends, and the worker goes on. What the thread may still do is safe to repeat, as every stage is. A
failure that is nobody's plan (a full disk, a bug) ends the session as `unknown` with what was
salvaged; it never takes the worker down.
"""

import asyncio
import contextlib
import sys
import threading
import traceback
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import partial, wraps
from pathlib import Path
from typing import Any, TypeVar

from abreast.engine.common.ending import (
    Ending,
    ending_of_agent,
    ending_of_command,
    halted,
)
from abreast.engine.common.layout import JOBS
from abreast.engine.common.undo import hint_of_undo, taken_back_by
from abreast.engine.working.agent_queues import after_agent, not_yet
from abreast.engine.working.session import agent, preparing
from abreast.engine.working.session import result as result_steps
from abreast.engine.working.session.asking import asked_at_end
from abreast.engine.working.session.confining import drop_tmp, rejoined
from abreast.engine.working.session.context import Engine, SessionContext, open_context
from abreast.engine.working.session.final import leave_bare, write_ending
from abreast.engine.working.session.fork_server import fork_server
from abreast.engine.working.session.jobs import Order, end_job, run_command, run_job
from abreast.errors import FREE_SPACE, AbreastError, FullError, StoreError
from abreast.model.session import SessionState
from abreast.process.patience import Awake
from abreast.process.room import LOOK, full, is_full
from abreast.runner.job import Result, load_halt
from abreast.runner.supervise import STOPPED_BY_USER
from abreast.store.rows import SessionUpdate

LONGEST = (
    3600.0  # seconds for one stage; a check-out that fetches large files may take many minutes
)
PATIENCE = 600.0  # seconds that a stage waits for room on a full disk
GRACE = 10.0  # seconds that a stage has left once its session is to stop; mostly it takes less
_LOOK = 0.5  # seconds between looks at the stop file


T = TypeVar("T")


class StageError(AbreastError):
    """A stage was left to itself: it took too long, or its session was `stopped`."""

    def __init__(self, message: str, *, stopped: bool, hint: str | None = None) -> None:
        self.stopped = stopped
        super().__init__(message, hint=hint)


async def bounded(
    work: Callable[[], T],
    stop_file: Path | None = None,
    *,
    longest: float = LONGEST,
    grace: float = GRACE,
) -> T:
    """Run `work` in a thread of its own and return what it returns, or raise what it raises.

    Raises StageError after `longest` seconds, or `grace` seconds after `stop_file` appeared, of
    those in which this process could look (see `Awake`): then
    the thread is left to itself. It does not keep the process from ending.
    """
    outcome: Future[T] = Future()
    outcome.set_running_or_notify_cancel()

    def run() -> None:
        try:
            outcome.set_result(work())
        except BaseException as error:  # noqa: BLE001 - whoever waits gets it
            outcome.set_exception(error)

    threading.Thread(target=run, daemon=True, name="stage").start()
    future = asyncio.wrap_future(outcome)
    awake, stopped = Awake(), None
    while True:
        await asyncio.wait({future}, timeout=_LOOK)
        if future.done():
            return future.result()
        now = awake.look()
        if stopped is None and stop_file is not None and stop_file.exists():  # noqa: ASYNC240 (a look)
            stopped = now
        if stopped is not None and now - stopped > grace:
            future.cancel()
            raise StageError("it was stopped while abreast worked on it", stopped=True)
        if now > longest:
            future.cancel()
            raise StageError(
                f"abreast worked on it for {longest / 60:.0f} minutes without finishing",
                stopped=False,
                hint="check the disk, and the git commands in its worktree with `abreast doctor`",
            )


Body = Callable[[SessionContext], Awaitable[Ending | None]]
Stage = Callable[[Engine, str, int], Coroutine[Any, Any, Ending | None]]


def stage(body: Body) -> Stage:
    """Return the step of a session that does `body` (see `guarded`)."""

    @wraps(body)
    async def run(engine: Engine, session: str, attempt: int) -> Ending | None:
        return await guarded(engine, session, attempt, body)

    return run


def blocking(body: Callable[[SessionContext], Ending | None]) -> Stage:
    """Return the step of a session that does `body` in a thread (see `within`)."""
    return stage(partial(within, body))


async def guarded(
    engine: Engine, session: str, attempt: int, body: Body, *, although_stopping: bool = False
) -> Ending | None:
    """Run one stage of a session: whatever it raises is an ending, unless the database is away.

    A session that has been asked to stop gets no further, unless `although_stopping`.
    """
    opened: list[SessionContext] = []

    async def work() -> Ending | None:
        context = await asyncio.to_thread(open_context, engine, session, attempt)
        if context.stopping and not although_stopping:
            return context.stopped
        opened.append(context)
        return await body(context)

    try:
        ending = await with_room(engine, session, work)
    except StoreError:
        raise  # the step is tried again: what a session has come to must not depend on that
    except StageError as error:
        unknown = Ending(SessionState.UNKNOWN, error.message, error.hint or "")
        ending = opened[-1].stopped if error.stopped else unknown
    except FullError as error:
        ending = Ending(
            SessionState.UNKNOWN, error.message, f"{FREE_SPACE}; then: abreast resume RUN"
        )
    except AbreastError as error:
        ending = Ending(SessionState.FAILED, error.message, error.hint or "")
    except Exception as error:  # noqa: BLE001 - a session's boundary: recorded, the rest goes on
        reason = f"abreast failed: {error!r}\n{traceback.format_exc(limit=-4)}"
        ending = Ending(SessionState.UNKNOWN, reason, "please report this; the work is kept")
    return ending


async def with_room(engine: Engine, session: str, work: Callable[[], Awaitable[T]]) -> T:
    """Do `work`, again and again while a disk is full, for ten minutes; raises FullError then.

    It must be safe to repeat. The session's story says once that it waits for room.
    """
    waited, pause, told = 0.0, LOOK, False
    while True:
        try:
            return await work()
        except (AbreastError, OSError) as error:
            if isinstance(error, StoreError) or not is_full(error):
                raise
            run = await asyncio.to_thread(engine.reader.run, session.partition("/")[0])
            found = full(engine.places.state, *([Path(run.common_dir)] if run else []))
            if waited >= PATIENCE:
                raise found from error
        if not told:
            told = True
            sys.stderr.write(f"{session} waits: {found.message}; {FREE_SPACE}\n")
            sys.stderr.flush()
            with contextlib.suppress(StoreError):  # which may be on that disk
                words = f"waits: {found.message}; {FREE_SPACE}"
                await asyncio.to_thread(engine.store.add_event, session, "warning", words)
        await asyncio.sleep(pause)
        waited += pause
        pause = min(pause * 1.5, 10 * LOOK)


async def within(body: Callable[[SessionContext], T], context: SessionContext) -> T:
    """Run the blocking part of a stage in a thread, for a bounded time (see `bounded`)."""
    return await bounded(lambda: body(context), context.layout.stop_file)


@dataclass(frozen=True)
class Prepared:
    """The ending of a session that got no further, and the commands of the plan's to run."""

    ending: Ending | None
    commands: tuple[str, ...]


async def prepare(engine: Engine, session: str, attempt: int) -> Prepared:
    """Make the worktree, on its branch, at the base or at the predecessors' merged commits.

    Returns the ending, as the other stages do, and which of the plan's commands there are to run:
    a step that finds nothing to do costs some 5 ms of CPU.
    """
    commands: list[str] = []

    async def body(context: SessionContext) -> Ending | None:
        if ending := await asyncio.to_thread(not_yet, context):
            return ending
        commands.extend(context.task.commands)
        # It imports while git checks out.
        await asyncio.to_thread(fork_server.prepare, context.session.agent)
        return await within(preparing.prepare, context)

    return Prepared(await guarded(engine, session, attempt, body), tuple(commands))


@stage
async def set_up(context: SessionContext) -> Ending | None:
    """Run the plan's setup command in the worktree, once for each attempt."""
    change = SessionUpdate(state=SessionState.SETUP)
    return await _command(context, "setup", change, result_steps.after_setup)


@stage
async def run_agent(context: SessionContext) -> Ending | None:
    """Run the agent to its end, or adopt the one that is running already."""
    result = await run_cli(context, "agent", agent.order)
    await asyncio.to_thread(agent.record, context, result)
    ending = _as_halted(context, result, ending_of_agent(result))
    ending = await asyncio.to_thread(asked_at_end, context, result, ending)
    ending = await asyncio.to_thread(after_agent, context, result, ending)
    if ending and taken_back_by(context.run, context.session):
        return replace(ending, hint=hint_of_undo(context.run.target, context.task.agent.command))
    return ending


check = blocking(result_steps.check_and_commit)


@stage
async def verify(context: SessionContext) -> Ending | None:
    """Run the plan's verify command on the candidate."""
    change, after = SessionUpdate(state=SessionState.VERIFYING), result_steps.after_verify
    return await _command(context, "verify", change, after, before_again=after)


commit = blocking(result_steps.commit)


async def finish(engine: Engine, session: str, attempt: int, given: Ending | None) -> Ending:
    """Write down how the session ended, after keeping under a ref whatever is not committed."""
    try:
        return await with_room(
            engine, session, lambda: bounded(lambda: _finish(engine, session, attempt, given))
        )
    except (StageError, FullError) as error:
        return await asyncio.to_thread(_give_up, engine, session, attempt, given, error)


def _finish(engine: Engine, session: str, attempt: int, given: Ending | None) -> Ending:
    try:
        context = open_context(engine, session, attempt)
        for name in JOBS:  # they have ended, unless something went wrong
            end_job(context.layout.job(name))
        drop_tmp(context.layout.directory)
        return result_steps.finish(context, given)
    except StoreError:
        raise
    except Exception as error:
        if is_full(error):
            raise  # it is waited for
        return _give_up(engine, session, attempt, given, error)


def _give_up(
    engine: Engine, session: str, attempt: int, given: Ending | None, error: Exception
) -> Ending:
    """End a session whose worktree can neither be examined nor kept."""
    kept = f"what it did could not be looked at or kept: {error}"
    reason = f"{given.reason}; {kept}" if given and given.reason else kept
    hint = "its worktree was left alone: abreast path SESSION prints where it is"
    final = Ending(SessionState.UNKNOWN, reason, hint)
    with contextlib.suppress(Exception):  # such as a full disk: without an ending all wait on
        leave_bare(engine, session, attempt, final)
    return write_ending(engine, session, final, attempt=attempt)


async def run_cli(
    context: SessionContext, name: str, order: Callable[[SessionContext], Order]
) -> Result:
    """Run a process of the session's CLI as the job `name`, or adopt the one that is running."""
    await asyncio.to_thread(context.update, SessionUpdate(state=SessionState.RUNNING))
    note = partial(agent.note, context)
    result = await run_job(context.layout.job(name), lambda: order(context), progress=note)
    await within(rejoined, context)
    return result


async def _command(
    context: SessionContext,
    name: str,
    change: SessionUpdate,
    after: Callable[[SessionContext], None],
    before_again: Callable[[SessionContext], None] = lambda _: None,
) -> Ending | None:
    """Run a command of the plan's, and `before_again` before it is run once more (see the job)."""
    layout, line = context.layout, context.task.commands[name]
    await asyncio.to_thread(context.update, replace(change, last_action=line))
    result = await run_command(
        layout.job(name),
        lambda: preparing.command_order(
            context, name, layout.worktree, layout.stop_file, layout.directory
        ),
        lambda: before_again(context),
    )
    await asyncio.to_thread(agent.note_left, context, result)
    await within(rejoined, context)
    await within(after, context)
    ending = ending_of_command(result, name, f"abreast logs {context.session.id}")
    return _as_halted(context, result, ending)


def _as_halted(context: SessionContext, result: Result, ending: Ending | None) -> Ending | None:
    """Return the ending of a job as the limit has it for which abreast has stopped it, if one."""
    if not result.stopped_by or context.stop_requested:
        return ending
    halt = load_halt(context.layout.stop_file)
    return halted(halt) if halt and result.stopped_by in {STOPPED_BY_USER, halt.reason} else ending
