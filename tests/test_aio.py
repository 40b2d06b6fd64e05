"""The async twins: the same calls, and a task that is cancelled leaves nothing behind it."""

import asyncio
import inspect
from pathlib import Path

import pytest

from abreast import aio, api
from abreast.model.moves import Say, Write
from abreast.model.session import Run, RunState, SessionState
from tests.support.deadlines import eventually
from tests.support.stage import Stage, scripted, task, until, writes


def functions(module: object, *within: str) -> dict[str, inspect.Signature]:
    """The public calls of a module that are written below one of `within`, with what they take."""
    found = inspect.getmembers(module, inspect.isfunction)
    own = [(name, f) for name, f in found if f"{f.__module__}.".startswith(within)]
    return {name: inspect.signature(f) for name, f in own if not name.startswith("_")}


def test_every_call_has_a_twin() -> None:
    calls, twins = functions(api, "abreast.api.", "abreast.engine."), functions(aio, "abreast.aio.")
    assert {"read_plan", "run"} <= calls.keys()
    assert {name: list(call.parameters.values()) for name, call in calls.items()} == {
        name: list(twin.parameters.values()) for name, twin in twins.items()
    }


def test_runs_side_by_side(shared_stage_on_both: Stage) -> None:
    stage = shared_stage_on_both
    seen: list[Run] = []
    tasks = [task("one", writes("one.txt")), task("two", writes("two.txt"))]

    async def both() -> list[Run]:
        plans = [stage.plan(one) for one in tasks]
        runs = (aio.run(plan, progress=seen.append, places=stage.places) for plan in plans)
        return await asyncio.gather(*runs)

    ended = asyncio.run(both())
    assert [run.state for run in ended] == [RunState.DONE] * 2
    for run in ended:
        assert seen.index(run) == len(seen) - 1 - seen[::-1].index(run)  # each state told once
    assert asyncio.run(aio.find_run(ended[0].id, places=stage.places)) == ended[0]


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    return tmp_path / "gate"


def test_a_cancelled_wait_leaves_the_run_alone(shared_stage: Stage, gate: Path) -> None:
    stage = shared_stage

    async def begin_and_leave() -> str:
        begun: asyncio.Future[Run] = asyncio.get_running_loop().create_future()
        loop = asyncio.get_running_loop()

        def note(run: Run) -> None:
            if run.sessions[0].state is SessionState.RUNNING:
                loop.call_soon_threadsafe(lambda: begun.done() or begun.set_result(run))

        plan = stage.plan(task("one", scripted(until(gate), Write("one.txt", "x"))))
        watching = asyncio.create_task(aio.run(plan, progress=note, places=stage.places))
        run = await asyncio.wait_for(begun, 60)
        watching.cancel()
        with pytest.raises(asyncio.CancelledError):
            await watching
        return run.id

    name = asyncio.run(begin_and_leave())  # returns: no thread is stuck in the wait
    assert api.find_run(name, places=stage.places).state is RunState.RUNNING
    gate.touch()
    assert stage.wait(name).state is RunState.DONE


def test_logs_are_followed_to_the_end_or_left(shared_stage: Stage, gate: Path) -> None:
    stage = shared_stage
    moves = (Say("first words"), until(gate), Write("one.txt", "x"), Say("last words"))
    run = stage.start(task("one", scripted(*moves)))

    async def first() -> list[str]:
        told = []
        async for event in aio.logs("one", follow=True, places=stage.places):
            told.append(event.text)
            if event.text == "first words":
                break
        return told

    async def whole() -> list[str]:
        events = aio.logs("one", follow=True, places=stage.places)
        return [event.text async for event in events]

    eventually(lambda: stage.session("one").state is SessionState.RUNNING, "it runs")
    assert asyncio.run(first())[-1] == "first words"
    assert not stage.session("one").state.final
    gate.touch()
    told = asyncio.run(whole())
    assert told.index("first words") < told.index("last words") < told.index("done")
    assert told[0] == "preparing"

    async def lines() -> list[bytes]:
        return [line async for line in aio.stream(f"{run.id}/one", places=stage.places)]

    assert b"last words" in asyncio.run(lines())[-1]
    stage.wait(run.id)


def test_a_delegation_that_is_cancelled_while_it_begins_is_stopped(
    local_stage: Stage, gate: Path
) -> None:
    stage = local_stage
    agent = scripted(until(gate), Say('{"text": "late"}'))

    async def hasty() -> None:
        asking = asyncio.create_task(
            aio.delegate("What?", agent=agent, repo=stage.repo.path, places=stage.places)
        )
        await asyncio.sleep(0)  # to its first await
        await asyncio.sleep(0)  # and its thread to its start
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking

    asyncio.run(hasty())
    [run] = api.runs(places=stage.places)
    assert [session.state for session in run.sessions] == [SessionState.STOPPED]
