"""What all sessions of a run, or of a day, use together is held to its limits."""

import os
from pathlib import Path

import pytest

from abreast import api
from abreast.engine.client import delegating
from abreast.engine.common import run_budget
from abreast.model.budget import Budget
from abreast.model.hold import HoldKind
from abreast.model.limits import Limits
from abreast.model.moves import Say, Shell, Spend, Write
from abreast.model.session import RunState, SessionState
from abreast.model.task import Isolation
from abreast.store.reader import Reader
from tests.support.deadlines import MINUTES, eventually
from tests.support.stage import Stage, scripted, task, until

LOOSE = Limits(minutes=MINUTES, idle_minutes=0)


def spends(tokens: int, gate: Path, name: str) -> tuple:
    """Moves that use so many tokens, leave work that is not committed, and wait for a file."""
    first = (Spend(tokens - 50, 0, 50), Write(f"{name}.txt", "half\n"))
    return (*first, until(gate), Say("done"))


def test_a_run_is_stopped_as_a_whole_and_resume_allows_as_much_again(
    stage: Stage, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    run = stage.run(
        *(task(name, scripted(*spends(1500, gate, name)), limits=LOOSE) for name in "ab"),
        task("c", scripted(Write("c.txt", "c\n"), Say("done")), needs=(), limits=LOOSE),
        max_parallel=2,
        budget=Budget(tokens=2000),
    )
    a, b, c = run.sessions
    for session in (a, b):
        assert session.state is SessionState.STOPPED
        assert session.reason.startswith("stopped by the run's limit of 2,000 tokens: ")
        assert session.hint == f"abreast resume {run.id} allows as much again"
        assert stage.marked(session.id) == []
        kept = f"refs/abreast/snap/{session.id}:{session.task}.txt"
        assert stage.repo.git("show", kept) == "half"
    assert c.state is SessionState.BLOCKED
    assert c.reason.startswith("not started: the run's limit of 2,000 tokens: ")
    assert f"abreast resume {run.id}" in c.hint
    used = run_budget.used_by_run(stage.places, Reader(stage.places.database), run.id)
    assert used.tokens == 3000
    gate.touch()
    again = api.resume(run.id, places=stage.places)
    ended = stage.wait(again.id)
    assert [session.state for session in ended.sessions] == [SessionState.DONE] * 3
    assert run_budget.used_by_run(stage.places, Reader(stage.places.database), run.id).tokens < 2000


def test_children_count_into_the_run_and_the_session_that_started_them(
    local_stage: Stage, tmp_path: Path
) -> None:
    stage = local_stage
    gate = tmp_path / "gate"
    limits = Limits(minutes=MINUTES, idle_minutes=0, tokens=5000)
    bounded = stage.start(
        task("run", scripted(*spends(500, gate, "a")), limits=LOOSE), budget=Budget(tokens=2000)
    )
    own = stage.start(task("own", scripted(*spends(500, gate, "b")), limits=limits))
    asked = scripted(Spend(2900, 0, 100), Shell("true"), until(gate), Say("yes"))
    for parent in (f"{bounded.id}/run", f"{own.id}/own"):
        stage.until(parent, lambda one: one.turns)
        for _ in range(2):
            delegating.start(
                [delegating.contract("What?", stage.repo.path, isolation=Isolation.CONTEXT)],
                delegating.Ask(asked, parent=parent),
                stage.places,
                tree=stage.repo.path,
                environ=os.environ,
            )
    for run, words in (
        (bounded, "the run's limit of 2,000 tokens: "),
        (own, "with its children, the session's limit of 5,000 tokens: "),
    ):
        [session] = stage.wait(run.id).sessions
        assert session.state is SessionState.STOPPED
        assert session.reason.startswith(f"stopped by {words}")
    children = [s for run in api.runs(limit=9, places=stage.places) for s in run.sessions]
    for child in (one for one in children if one.parent):
        ended = stage.wait(child.run).sessions[0]
        assert ended.state in {SessionState.STOPPED, SessionState.BLOCKED}
        assert "limit of " in ended.reason


def test_a_day_holds_all_runs_until_it_is_over_or_more_is_allowed(
    local_stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage, gate, file = local_stage, tmp_path / "gate", tmp_path / "config.toml"
    file.write_text("[limits.day]\ntokens = 1000\n")
    monkeypatch.setenv("ABREAST_CONFIG", str(file))
    first = stage.run(task("a", scripted(*spends(1500, gate, "a")), limits=LOOSE))
    [stopped] = first.sessions
    assert stopped.reason == "stopped by the day's limit of 1,000 tokens: 1,500 are used"
    assert f"abreast resume {first.id} goes on" in stopped.hint
    assert "abreast settings set limits.day.tokens 2000" in stopped.hint
    second = stage.start(task("b", scripted(Write("b.txt", "b\n"), Say("done")), limits=LOOSE))
    held = stage.until(f"{second.id}/b", lambda one: one.held).held
    assert held is not None
    assert held.kind is HoldKind.LIMIT
    assert held.why == "the day's limit of 1,000 tokens: 1,500 are used"
    assert held.until is not None
    api.set_setting("limits.day.tokens", "9000", places=stage.places)
    assert stage.wait(second.id).state is RunState.DONE
    gate.touch()
    api.resume(first.id, places=stage.places)
    assert stage.wait(first.id).state is RunState.DONE


def test_the_time_of_a_run_is_that_in_which_sessions_are_at_work(
    local_stage: Stage, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    run = local_stage.run(
        task("a", scripted(*spends(100, gate, "a")), limits=LOOSE), budget=Budget(minutes=0.05)
    )
    [session] = run.sessions
    assert session.reason.startswith("stopped by the run's limit of 0.05 minutes: 0.1 are used")
    took = (session.ended or 0.0) - (session.started or 0.0)
    assert 0.05 <= run_budget.minutes_of(local_stage.places, run.id) <= took / 60


def test_what_cannot_be_read_lets_nothing_start(
    local_stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage, gate, file = local_stage, tmp_path / "gate", tmp_path / "config.toml"
    monkeypatch.setenv("ABREAST_CONFIG", str(file))
    file.write_text("[limits.day]\ntokens = 9000\n")
    gated = scripted(until(gate), Write("a.txt", "a\n"), Say("done"))
    after = scripted(Write("b.txt", "b\n"), Say("done"))
    run = stage.start(task("a", gated, limits=LOOSE), task("b", after, needs=("a",), limits=LOOSE))
    stage.until(f"{run.id}/a", lambda one: one.state is SessionState.RUNNING)
    file.write_text("[limits.day]\ntokens = -1\n")
    gate.touch()
    held = stage.until(f"{run.id}/b", lambda one: one.held).held
    assert held is not None
    assert "settings cannot be read" in held.why
    file.write_text("")
    eventually(lambda: stage.session(f"{run.id}/b").state is SessionState.DONE, "it goes on")
