"""The stages of a session as DBOS steps: each may run twice, and then finds its work done.

A stage returns None to go on, or the ending as JSON. Blocking work happens in threads, so that one
worker serves many sessions. A failure that is nobody's plan (a full disk, a bug) ends the session
as `unknown` with what was salvaged; it never takes the worker down.
"""

import asyncio
import contextlib
import traceback
from collections.abc import Awaitable, Callable
from typing import TypeVar

from abreast.engine.common.ending import (
    STOPPED,
    Ending,
    ending_of_agent,
    ending_of_command,
    load_ending,
)
from abreast.engine.working.durable import Json
from abreast.engine.working.session import agent, preparing
from abreast.engine.working.session import result as result_steps
from abreast.engine.working.session.bounded import StageError, bounded
from abreast.engine.working.session.context import SessionContext, current, open_context
from abreast.engine.working.session.final import write_ending
from abreast.engine.working.session.handoff import leave_bare
from abreast.engine.working.session.jobs import end_jobs, run_command, run_job
from abreast.errors import AbreastError, StoreError
from abreast.model.states import SessionState
from abreast.store.changes import Change

T = TypeVar("T")


async def prepare(session: str, attempt: int) -> Json:
    """Make the worktree, on its branch, at the base or at the predecessors' merged commits.

    Returns the ending, as the other stages do, and which of the plan's commands there are to run:
    a step that finds nothing to do costs some 5 ms of CPU.
    """
    commands: list[str] = []

    async def body(context: SessionContext) -> Ending | None:
        commands.extend(context.task.commands)
        return await _within(context, preparing.prepare)

    ending = await guarded(session, attempt, body)
    return {"ending": ending, "commands": commands}


async def set_up(session: str, attempt: int) -> Json | None:
    """Run the plan's setup command in the worktree, once for each attempt."""
    return await _command(session, attempt, "setup", result_steps.after_setup, _nothing)


async def run_agent(session: str, attempt: int) -> Json | None:
    """Run the agent to its end, or adopt the one that is running already."""

    async def body(context: SessionContext) -> Ending | None:
        context.engine.store.update_session(context.session.id, Change(state=SessionState.RUNNING))
        result = await run_job(
            context.layout.job("agent"),
            lambda: agent.order(context),
            progress=agent.noting(context),
        )
        await asyncio.to_thread(agent.record, context, result)
        return ending_of_agent(result)

    return await guarded(session, attempt, body)


async def check(session: str, attempt: int) -> Json | None:
    """Hold what the agent did against what the task declares; keep it as a candidate commit."""
    return await blocking(session, attempt, result_steps.check)


async def verify(session: str, attempt: int) -> Json | None:
    """Run the plan's verify command on the candidate."""
    after = result_steps.after_verify
    return await _command(session, attempt, "verify", after, before_again=after)


async def commit(session: str, attempt: int) -> Json | None:
    """Move the session's branch to what was checked; the ending says whether that is proven."""
    return await blocking(session, attempt, result_steps.commit)


async def finish(session: str, attempt: int, ending: Json | None) -> Json:
    """Write down how the session ended, after keeping under a ref whatever is not committed."""
    given = load_ending(ending) if ending else None
    try:
        return await bounded(lambda: _finish(session, attempt, given))
    except StageError as error:
        return await asyncio.to_thread(_give_up, session, attempt, given, error)


def _finish(session: str, attempt: int, given: Ending | None) -> Json:
    try:
        context = open_context(session, attempt)
        end_jobs(context.layout)
        final = result_steps.finish(context, given)
    except StoreError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever happens, a session has an ending
        return _give_up(session, attempt, given, error)
    return final.to_json()


def _give_up(session: str, attempt: int, given: Ending | None, error: Exception) -> Json:
    """End a session of which nothing more can be found out or kept."""
    kept = f"what it did could not be looked at or kept: {error}"
    reason = f"{given.reason}; {kept}" if given and given.reason else kept
    hint = "its worktree was left alone: abreast status tells where it is"
    final = Ending(SessionState.UNKNOWN, reason, hint)
    with contextlib.suppress(Exception):  # such as a full disk: without an ending all wait on
        leave_bare(current(), session, attempt, final)
    return write_ending(current(), session, final, attempt=attempt).to_json()


def _nothing(_: SessionContext) -> None:
    pass


async def _command(
    session: str,
    attempt: int,
    name: str,
    after: Callable[[SessionContext], None],
    before_again: Callable[[SessionContext], None],
) -> Json | None:
    """Run a command of the plan's, and `before_again` before it is run once more (see the job)."""

    async def body(context: SessionContext) -> Ending | None:
        line = context.task.commands[name]
        state = SessionState.SETUP if name == "setup" else SessionState.VERIFYING
        context.engine.store.update_session(
            context.session.id, Change(state=state, last_action=line)
        )
        folder = context.layout.job(name)
        result = await run_command(
            folder,
            lambda: preparing.command_order(context, name, line),
            lambda: before_again(context),
        )
        await asyncio.to_thread(agent.note_left, context, result)
        await _within(context, after)
        return ending_of_command(result, name, f"abreast logs {context.session.id}")

    return await guarded(session, attempt, body)


async def blocking(
    session: str, attempt: int, body: Callable[[SessionContext], Ending | None]
) -> Json | None:
    """Run one stage of a session in a thread (see `guarded`)."""

    async def threaded(context: SessionContext) -> Ending | None:
        return await _within(context, body)

    return await guarded(session, attempt, threaded)


async def _within(context: SessionContext, body: Callable[[SessionContext], T]) -> T:
    """Run the blocking part of a stage where it can hold up nobody for good (see `bounded`)."""
    return await bounded(lambda: body(context), context.layout.stop_file)


async def guarded(
    session: str,
    attempt: int,
    body: Callable[[SessionContext], Awaitable[Ending | None]],
    *,
    although_stopping: bool = False,
) -> Json | None:
    """Run one stage of a session: whatever it raises is an ending, unless the database is away.

    A session that has been asked to stop gets no further, unless `although_stopping`.
    """
    try:
        context = await asyncio.to_thread(open_context, session, attempt)
        if context.stopping and not although_stopping:
            return STOPPED.to_json()
        ending = await body(context)
    except StoreError:
        raise  # the step is tried again: what a session has come to must not depend on that
    except StageError as error:
        unknown = Ending(SessionState.UNKNOWN, error.message, error.hint or "")
        ending = STOPPED if error.stopped else unknown
    except AbreastError as error:
        ending = Ending(SessionState.FAILED, error.message, error.hint or "")
    except Exception as error:  # noqa: BLE001 - a session's boundary: recorded, the rest goes on
        reason = f"abreast failed: {error!r}\n{traceback.format_exc(limit=-4)}"
        ending = Ending(SessionState.UNKNOWN, reason, "please report this; the work is kept")
    return ending.to_json() if ending else None
