"""Sessions that are sent away: their agent's queue is parked or stopped, and goes on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from abreast import api
from abreast.engine.common.worker_process import ensure_worker
from abreast.model.agent_queue import QueueState
from abreast.model.cause import Cause
from abreast.model.hold import HoldKind
from abreast.model.limits import Limits
from abreast.model.moves import Say, Write
from abreast.model.need import NeedKind
from abreast.model.session import Run, RunState, SessionState
from abreast.model.snapshot import Group, Row
from abreast.model.task import AgentChoice, Task
from abreast.store.reader import Reader
from tests.support.away import AGENT_FILE, FOLDER, Provider
from tests.support.deadlines import MINUTES, eventually
from tests.support.repos import Repo
from tests.support.stage import Stage, task, until, writes

FAR = "You've hit your usage limit, try again in 3 hours"
SOON = "You've hit your usage limit, try again in 1 second"


@pytest.fixture
def provider(scratch_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Provider:
    monkeypatch.setenv("ABREAST_AGENTS", str(AGENT_FILE))
    monkeypatch.setenv(FOLDER, str(tmp_path))
    return Provider(tmp_path)


@pytest.fixture
def stage(provider: Provider, repo: Repo, tmp_path: Path) -> Iterator[Stage]:
    with Stage.on_sqlite(tmp_path / "state", repo) as built:
        yield built


def away(name: str, **more: object) -> Task:
    """A task of the agent whose provider the test speaks for."""
    more.setdefault("limits", Limits(minutes=MINUTES, idle_minutes=0))
    return task(name, AgentChoice("away", moves=(Write(f"{name}.txt", "x\n"), Say("ok"))), **more)


def rows(stage: Stage, run: Run) -> dict[str, Row]:
    return {row.session.task: row for row in api.snapshot(run.id, places=stage.places).rows}


def queue(stage: Stage) -> QueueState:
    return Reader(stage.places.database).agent_queue("away").state


def is_parked(stage: Stage, run: Run) -> bool:
    return all(
        s.held and s.held.kind is HoldKind.QUOTA
        for s in api.find_run(run.id, places=stage.places).sessions
    )


@pytest.mark.parametrize("tasks", [30, pytest.param(200, marks=pytest.mark.product)])
def test_however_many_tasks_into_a_used_up_limit_cost_one_call(
    stage: Stage, provider: Provider, tasks: int
) -> None:
    provider.says(Cause.SESSION_LIMIT, FAR)
    run = stage.start(*(away(f"t{n}") for n in range(tasks)), max_parallel=8)
    eventually(lambda: is_parked(stage, run))
    assert provider.calls == 1
    found = rows(stage, run)
    assert {row.group for row in found.values()} == {Group.WAITING}
    (words,) = {row.waits for row in found.values()}
    assert words.startswith("waits: Away's usage limit, goes on at ")
    (tried,) = [s for s in (row.session for row in found.values()) if s.attempt == 2]
    assert (tried.task, tried.state) == ("t0", SessionState.QUEUED)
    api.stop(run.id, places=stage.places)
    assert provider.calls == 1


def test_a_limit_that_resets_is_waited_for_and_one_session_tries(
    stage: Stage, provider: Provider
) -> None:
    provider.says(Cause.SESSION_LIMIT, SOON)
    run = stage.start(away("one"), away("two"), away("three"), task("other", writes("o.txt")))
    eventually(lambda: provider.calls >= 3)  # that the limit had reset was not so
    assert stage.session(f"{run.id}/other").state is SessionState.DONE
    provider.is_back()
    ended = stage.wait(run.id)
    assert ended.state is RunState.DONE, [(s.task, s.reason) for s in ended.sessions]
    tried = provider.calls - 3
    assert sum(s.attempt - 1 for s in ended.sessions) == tried
    assert queue(stage) is QueueState.OPEN


def test_an_outage_is_tried_again_in_the_same_session(stage: Stage, provider: Provider) -> None:
    provider.says(Cause.TRANSIENT, "overloaded")
    run = stage.start(away("one"))
    held = stage.until(f"{run.id}/one", lambda session: session.held).held
    assert held is not None
    assert held.words.startswith("waits: Away's provider does not answer, goes on at ")
    provider.is_back()
    (session,) = stage.wait(run.id).sessions
    assert (session.state, session.attempt, provider.calls) == (SessionState.DONE, 2, 2)


def test_an_outage_that_lasts_longer_than_the_plan_says_fails_the_session(
    stage: Stage, provider: Provider
) -> None:
    provider.says(Cause.TRANSIENT, "overloaded")
    (session,) = stage.run(away("one", limits=Limits(outage_minutes=0))).sessions
    assert (session.state, session.reason) == (SessionState.FAILED, "overloaded")
    assert session.cause is Cause.TRANSIENT
    assert session.hint == f"later: abreast resume {run_of(session.id)} goes on with it"


def run_of(session: str) -> str:
    return session.partition("/")[0]


@pytest.mark.parametrize("cause", [Cause.AUTH, Cause.BILLING])
def test_a_refused_login_stops_the_queue_until_a_person_goes_on(
    stage: Stage, provider: Provider, cause: Cause
) -> None:
    provider.says(cause, "go away")
    run = stage.run(away("one"), away("two"), away("three"), task("other", writes("o.txt")))
    assert provider.calls == 1
    states = [session.state.value for session in run.sessions]
    assert states == ["failed", "blocked", "blocked", "done"]
    found = rows(stage, run)
    assert {found[name].need.kind for name in ("one", "two", "three")} == {NeedKind.QUOTA}
    assert queue(stage) is QueueState.STOPPED
    if cause is Cause.AUTH:
        assert "log in: away login" in found["two"].need.asked
    assert [a.command for a in found["two"].need.answers] == [f"abreast resume {run.id}"]

    api.resume(run.id, places=stage.places)
    again = stage.wait(run.id)
    assert [s.state.value for s in again.sessions] == states
    assert provider.calls == 2  # one session has tried

    provider.is_back()
    api.resume(run.id, places=stage.places)
    last = stage.wait(run.id)
    assert last.state is RunState.DONE, [(s.task, s.reason) for s in last.sessions]
    assert queue(stage) is QueueState.OPEN


def test_a_new_run_of_an_agent_whose_queue_is_stopped_tries_it(
    stage: Stage, provider: Provider
) -> None:
    provider.says(Cause.AUTH, "go away")
    stage.run(away("one"))
    provider.is_back()
    assert stage.run(away("one"), away("two")).state is RunState.DONE


def test_the_first_session_of_an_agent_goes_ahead_of_the_others(
    stage: Stage, provider: Provider, tmp_path: Path
) -> None:
    gate, reply = tmp_path / "gate", tmp_path / "reply"
    ahead = AgentChoice("away", moves=(until(reply), Write("a.txt", "x\n"), until(gate), Say("a")))
    run = stage.start(task("ahead", ahead), away("two"), away("three"), task("o", writes("o.txt")))
    stage.until(f"{run.id}/o", lambda session: session.state is SessionState.DONE)
    held = stage.until(f"{run.id}/two", lambda session: session.held).held
    assert held.kind is HoldKind.CANARY
    assert provider.calls == 1
    reply.touch()
    for name in ("two", "three"):
        stage.until(f"{run.id}/{name}", lambda session: session.state is SessionState.DONE)
    assert stage.session(f"{run.id}/ahead").state is SessionState.RUNNING
    gate.touch()
    assert stage.wait(run.id).state is RunState.DONE


def test_a_limit_is_waited_for_although_the_worker_dies(stage: Stage, provider: Provider) -> None:
    provider.says(Cause.SESSION_LIMIT, FAR)
    run = stage.start(away("one"), away("two"))
    eventually(lambda: is_parked(stage, run))
    stage.kill_worker()
    ensure_worker(stage.places)
    eventually(lambda: is_parked(stage, run))
    provider.is_back()
    api.resume(run.id, places=stage.places)  # a person's word counts for more than the limit
    assert stage.wait(run.id).state is RunState.DONE
    assert provider.calls == 3


def test_a_task_that_has_not_started_goes_to_another_agent_where_the_plan_says_so(
    stage: Stage, provider: Provider
) -> None:
    provider.says(Cause.SESSION_LIMIT, FAR)
    other = ("scripted",)
    run = stage.start(
        away("began", fallback=other), away("moves", fallback=other), away("stays"), max_parallel=1
    )
    moved = stage.until(f"{run.id}/moves", lambda session: session.state is SessionState.FAILED)
    assert moved.agent == "scripted"  # which has no moves of its own here
    (told,) = stage.events(moved.id, "fallback")
    assert told == ("Away may not start: given to Scripted (built in), whose account pays")
    assert provider.calls == 1
    for name in ("began", "stays"):
        session = stage.until(f"{run.id}/{name}", lambda session: session.held)
        assert (session.agent, session.held.kind) == ("away", HoldKind.QUOTA)
