"""The workflows: short lists of steps. What they decide on comes from steps, so it is repeatable.

A run holds no slot: it starts sessions as their needs are met, then asks for landings. A session
is prepare → set up → agent → check → verify → commit, and ends in `finish` whatever happened.
"""

from collections.abc import Awaitable, Callable, Iterable

from abreast.engine.common.ending import load_ending
from abreast.engine.common.layout import ROUNDS
from abreast.engine.working import run_steps
from abreast.engine.working.delegation import steps as child_steps
from abreast.engine.working.durable import (
    Handle,
    Json,
    first_done,
    session_ticket,
    start,
    step,
    workflow,
)
from abreast.engine.working.landing import steps as landing_steps
from abreast.engine.working.schedule import Pace, Progress, next_tasks
from abreast.engine.working.session import steps

__all__ = ["land_run", "run_plan", "run_session"]

Step = Callable[[str, int], Awaitable[Json | None]]

_prepare = step("prepare")(steps.prepare)
_set_up = step("set up")(steps.set_up)
_run_agent = step("agent")(steps.run_agent)
_check = step("check")(steps.check)
_verify = step("verify")(steps.verify)
_commit = step("commit")(steps.commit)
_finish = step("finish")(steps.finish)
# Each with the plan's command that it is there for, if that is all it does.
_STEPS: tuple[tuple[str, Step], ...] = (
    ("setup", _set_up),
    ("", _run_agent),
    ("", _check),
    ("verify", _verify),
    ("", _commit),
)


@workflow("session")
async def run_session(session: str, attempt: int) -> Json:
    """Take one session from its base to its end; returns the ending."""
    begun = await _prepare(session, attempt)
    ending = begun["ending"]
    for command, one in _STEPS:
        if ending is None and (not command or command in begun["commands"]):
            ending = await one(session, attempt)
    return await _finish(session, attempt, ending)


_place_child = step("place child")(child_steps.prepare)
_ask = step("ask")(child_steps.ask)
_conclude = step("conclude")(child_steps.conclude)


@workflow("child")
async def run_child(session: str, attempt: int) -> Json:
    """Take a child from its question to its deliverable; returns the ending."""
    ending = await _place_child(session, attempt)
    for number in range(len(ROUNDS)):
        if ending is not None:
            break
        asked = await _ask(session, attempt, number)
        ending = asked["ending"]
        if not asked["again"]:
            break
    ending = await _conclude(session, attempt, ending)
    return await _finish(session, attempt, ending)


_open_run = step("open run")(run_steps.open_run)
_skip = step("skip")(run_steps.skip)
_close_run = step("close run")(run_steps.close_run)
_stop_requested = step("stop requested")(run_steps.stop_requested)


@workflow("run")
async def run_plan(run: str, generation: int) -> None:
    """Start every session as its needs are met, at most `max_parallel` at once, to the last."""
    opened = await _open_run(run)
    pace, progress = Pace.from_json(opened["pace"]), Progress.from_json(opened["progress"])
    running = await _begin(run, pace, sorted(progress.running))  # of an earlier request: joined
    while True:
        stopping = await _stop_requested(run)
        ready, lost = next_tasks(pace, progress, stopping=stopping)
        for task, ending in lost.items():
            await _skip(f"{run}/{task}", ending.to_json(), generation)
            progress = progress.ended(task, ending)
        if lost:
            continue
        running |= await _begin(run, pace, ready)
        progress = progress.started(*ready)
        if not running:
            break
        done = await first_done([handle for _, handle in running.values()])
        task, handle = running.pop(done.workflow_id)
        ending = load_ending(await handle.get_result())
        if ending.again:
            pace = pace.at(task, ending.again)
            running |= await _begin(run, pace, [task])
        else:
            progress = progress.ended(task, ending, pace.agents[task])
    await _close_run(run, generation)


async def _begin(run: str, pace: Pace, tasks: Iterable[str]) -> dict[str, tuple[str, Handle[Json]]]:
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


_to_land = step("to land")(landing_steps.to_land)
_land_one = step("land")(landing_steps.land_one)
_close_landing = step("close landing")(run_steps.close_landing)


@workflow("land")
async def land_run(run: str, generation: int) -> None:
    """Land a run's sessions one after another; a bounce does not hold up the others."""
    for session in (await _to_land(run))["sessions"]:
        await _land_one(session, generation)
    await _close_landing(run, generation)
