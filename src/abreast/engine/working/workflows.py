"""The workflows: short lists of steps. What they decide on comes from steps, so it is repeatable.

A run holds no slot: it starts sessions as their needs are met, then asks for landings. A session
is prepare → set up → agent → check → verify → commit, and ends in `finish` whatever happened. The
check commits too where there is no verify; one that an older version has made comes to no ending.
Whatever a step raises that it should not, its workflow comes to an end that the rows tell of.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from abreast.codec import load
from abreast.engine.common.ending import Ending
from abreast.engine.common.layout import ROUNDS
from abreast.engine.working import admission, giving_up, run_steps
from abreast.engine.working.delegation import steps as child_steps
from abreast.engine.working.durable import (
    AsyncFunction,
    Handle,
    first_done,
    session_ticket,
    start,
    step,
    workflow,
)
from abreast.engine.working.landing import steps as landing_steps
from abreast.engine.working.mishap import in_words, log_trace
from abreast.engine.working.schedule import Admitted, Pace, in_turn, next_tasks
from abreast.engine.working.session import steps
from abreast.engine.working.session.context import Engine
from abreast.errors import StoreError
from abreast.model.cause import Cause

__all__ = ["install", "land_queue", "land_run", "run_plan", "run_session"]

P = ParamSpec("P")
R = TypeVar("R")
Step = Callable[[str, int], Awaitable[Ending | None]]

_engines: list[Engine] = []


def install(engine: Engine) -> None:
    """Have the steps of this process work with `engine`: DBOS calls them by name alone."""
    _engines[:] = [engine]


def _step(name: str, work: AsyncFunction[Concatenate[Engine, P], R]) -> AsyncFunction[P, R]:
    """Make a step of `work`, which is given the engine before the step's own arguments."""

    @step(name)
    @wraps(work)
    async def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return await work(_engines[0], *args, **kwargs)
        except StoreError:
            raise  # the step is tried again
        except Exception:
            log_trace(f"the step `{name}` {args}")
            raise

    return run


def _blocking(name: str, work: Callable[Concatenate[Engine, P], R]) -> AsyncFunction[P, R]:
    """Make a step of `work` as `_step` does, and do it in a thread."""

    @wraps(work)
    async def threaded(engine: Engine, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return await asyncio.to_thread(work, engine, *args, **kwargs)

    return _step(name, threaded)


_prepare = _step("prepare", steps.prepare)
_set_up = _step("set up", steps.set_up)
_run_agent = _step("agent", steps.run_agent)
_check = _step("check", steps.check)
_verify = _step("verify", steps.verify)
_commit = _step("commit", steps.commit)
_finish = _step("finish", steps.finish)
# Each with the plan's command that it is there for, if that is all it does.
_STEPS: tuple[tuple[str, Step], ...] = (
    ("setup", _set_up),
    ("", _run_agent),
    ("", _check),
    ("verify", _verify),
    ("", _commit),
)


# Taken only where another step has failed: what older versions have begun goes on as it was.
_end_session = _blocking("end session", giving_up.end_session)
_end_run = _blocking("end run", giving_up.end_run)
_end_landings = _blocking("end landings", giving_up.end_landings)


@workflow("session")
async def run_session(session: str, attempt: int) -> Ending:
    """Take one session from its base to its end; returns the ending."""
    try:
        begun = await _prepare(session, attempt)
        ending = begun.ending
        for command, one in _STEPS:
            if ending is None and (not command or command in begun.commands):
                ending = await one(session, attempt)
        return await _finish(session, attempt, ending)
    except Exception as error:  # noqa: BLE001 - its run waits for it
        return await _end_session(session, attempt, in_words(error))


_place_child = _step("place child", child_steps.prepare)
_ask = _step("ask", child_steps.ask)
_conclude = _step("conclude", child_steps.conclude)


@workflow("child")
async def run_child(session: str, attempt: int) -> Ending:
    """Take a child from its question to its deliverable; returns the ending."""
    try:
        ending = await _place_child(session, attempt)
        for number in range(len(ROUNDS)):
            if ending is not None:
                break
            asked = await _ask(session, attempt, number)
            ending = asked.ending
            if not asked.again:
                break
        ending = await _conclude(session, attempt, ending)
        return await _finish(session, attempt, ending)
    except Exception as error:  # noqa: BLE001 - its run waits for it
        return await _end_session(session, attempt, in_words(error))


_admit = _step("admit", admission.admit)
_open_run = _blocking("open run", run_steps.open_run)
_skip = _blocking("skip", run_steps.skip)
_close_run = _blocking("close run", run_steps.close_run)
_stop_requested = _blocking("stop requested", run_steps.stop_requested)


@workflow("run")
async def run_plan(run: str, generation: int) -> None:
    """Start every session as its needs are met, at most `max_parallel` at once, to the last."""
    try:
        await _run_sessions(run, generation)
        await _close_run(run, generation)
    except Exception as error:  # noqa: BLE001 - somebody waits for the run
        await _end_run(run, generation, in_words(error))


async def _run_sessions(run: str, generation: int) -> None:
    opened = await _open_run(run, generation)
    pace, progress, admits = opened.pace, opened.progress, opened.admits
    running = await _begin(run, pace, sorted(progress.running))  # of an earlier request: joined
    while True:
        if admits:
            admitted = await _admit(run, generation, in_turn(pace, progress))
        else:
            admitted = Admitted(await _stop_requested(run))
        pace, progress = pace.moved(admitted.moved), progress.told(admitted)
        ready, lost = next_tasks(pace, progress, admitted, stopping=admitted.stopping)
        for task, ending in lost.items():
            await _skip(f"{run}/{task}", ending, generation)
            progress = progress.ended(task, ending)
        if lost:
            continue
        running |= await _begin(run, pace, ready)
        progress = progress.started(*ready)
        # Fewer may start than could: more of them, as soon as the reason for that is gone.
        held = admits and bool(ready) and bool(in_turn(pace, progress).agents)
        if not running and (progress.over(pace) or not admits):
            return
        if held or not running:
            continue
        done = await first_done([handle for _, handle in running.values()])
        task, handle = running.pop(done.workflow_id)
        try:
            ending = load(Ending, await handle.get_result(), f"the ending of {run}/{task}")
        except Exception as error:  # noqa: BLE001 - its workflow has failed
            ending = await _end_session(f"{run}/{task}", pace.attempts[task], in_words(error))
        if ending.again:
            pace, admits = pace.at(task, ending.again), admits or ending.parked
            if ending.parked or (admits and ending.cause is Cause.MEMORY):
                progress = progress.queued_again(task)  # it waits until it may start
                continue
            running |= await _begin(run, pace, [task])
        else:
            progress = progress.ended(task, ending, pace.agents[task])


async def _begin(run: str, pace: Pace, tasks: Iterable[str]) -> dict[str, tuple[str, Handle[Any]]]:
    """Start sessions, and return their tasks and handles by workflow id.

    One that is at work already is joined.
    """
    begun = {}
    for task in tasks:
        session, attempt = f"{run}/{task}", pace.attempts[task]
        child = task in pace.children
        work = run_child if child else run_session
        handle = await start(session_ticket(session, attempt, child=child), work, session, attempt)
        begun[handle.workflow_id] = task, handle
    return begun


_open_turn = _blocking("open turn", landing_steps.open_turn)
_land_next = _step("land next", landing_steps.land_next)
_close_landing = _blocking("close landing", run_steps.close_landing)


@workflow("land queue")
async def land_queue(run: str, generation: int) -> None:
    """Land all that waits on a run's target, of whichever run; a bounce holds up only who needs it.

    Only one of these works on a target at a time. The others find what is left for them.
    """
    waiting, asked = list[str](), {run: generation}
    try:
        turn = await _open_turn(run)
        waiting, asked = list(turn.sessions), {**turn.runs, run: generation}
        while waiting:
            through = set(await _land_next(waiting, asked))
            waiting = [name for name in waiting if name not in through]
    except Exception as error:  # noqa: BLE001 - somebody waits for each of them
        await _give_up_landings(run, waiting, in_words(error))
    for other, request in asked.items():
        await _close_landed(other, request)


async def _give_up_landings(run: str, waiting: list[str], why: str) -> None:
    with suppress(Exception):  # its trace is in the log; their runs are to be closed
        await _end_landings(run, waiting, why)


async def _close_landed(run: str, generation: int) -> None:
    try:
        await _close_landing(run, generation)
    except Exception as error:  # noqa: BLE001 - somebody waits for the run
        await _end_run(run, generation, in_words(error))


# As versions before the shared queue began it; what they had begun goes on.
_to_land = _blocking("to land", landing_steps.to_land)
_land_one = _step("land", landing_steps.land_one)


@workflow("land")
async def land_run(run: str, generation: int) -> None:
    """Land a run's sessions one after another; a bounce does not hold up the others."""
    try:
        for session in (await _to_land(run))["sessions"]:
            await _land_one(session, generation)
    except Exception as error:  # noqa: BLE001 - somebody waits for them
        await _give_up_landings(run, [], in_words(error))
    await _close_landed(run, generation)
