"""While memory is short nothing starts, the newest session is paused, and then queued again."""

from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from abreast.model.hold import HoldKind
from abreast.model.limits import Limits
from abreast.model.moves import Say, Write
from abreast.model.session import RunState, SessionState
from tests.support.deadlines import MINUTES, eventually
from tests.support.stage import Stage, scripted, task, until

LOOSE = Limits(minutes=MINUTES, idle_minutes=0)
GIB = 2**20  # in kB


@pytest.fixture
def leave(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Return what leaves so many of 16 GiB to the workers of this test."""
    folder = tmp_path / "memory"
    folder.mkdir()
    monkeypatch.setenv("ABREAST_MEMORY", str(folder))

    def leave(gib: float) -> None:
        new = folder / "new"
        new.write_text(f"MemTotal: {16 * GIB} kB\nMemAvailable: {int(gib * GIB)} kB\n")
        new.rename(folder / "meminfo")

    leave(8)
    return leave


def states(stage: Stage, session: str) -> set[str]:
    """How the processes of a session's agent are; its runner is none of them."""
    runner = stage.runner(session).pid
    return {one.status() for one in stage.marked(session) if one.pid != runner}


def test_the_newest_is_paused_and_goes_on(
    local_stage: Stage, tmp_path: Path, leave: Callable[[float], None]
) -> None:
    stage, gate = local_stage, tmp_path / "gate"
    old = stage.start(
        task("old", scripted(until(gate), Write("o.txt", "o\n"), Say("done")), limits=LOOSE)
    )
    stage.until(f"{old.id}/old", lambda one: stage.has_begun(one.id))
    new = stage.start(
        task("new", scripted(Write("n.txt", "n\n"), until(gate), Say("done")), limits=LOOSE),
        task("last", scripted(Write("l.txt", "l\n"), Say("done")), limits=LOOSE),
        max_parallel=1,
    )
    session = stage.until(f"{new.id}/new", lambda one: one.files)
    leave(0.2)
    stage.until(session.id, lambda one: one.last_action.startswith("paused"))
    eventually(lambda: states(stage, session.id) == {psutil.STATUS_STOPPED}, "all stand still")
    assert psutil.STATUS_STOPPED not in states(stage, f"{old.id}/old")
    other = stage.start(task("other", scripted(Write("x.txt", "x\n"), Say("done")), limits=LOOSE))
    held = stage.until(f"{other.id}/other", lambda one: one.held).held
    assert held is not None
    assert (held.kind, held.until) == (HoldKind.MEMORY, None)
    assert "0.2 of 16.0 GiB" in held.why
    leave(8)
    gate.touch()
    for run in (old, new, other):
        assert stage.wait(run.id).state is RunState.DONE
    told = stage.events(session.id, "paused")
    assert [text.partition(":")[0] for text in told] == ["paused", "goes on"]


def test_a_pause_that_does_not_help_queues_it_again(
    local_stage: Stage,
    tmp_path: Path,
    leave: Callable[[float], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage, gate = local_stage, tmp_path / "gate"
    monkeypatch.setenv("ABREAST_MAX_PAUSE", "0.1")
    run = stage.start(
        task("old", scripted(until(gate), Write("o.txt", "o\n"), Say("done")), limits=LOOSE),
        task("new", scripted(Write("n.txt", "n\n"), until(gate), Say("done")), limits=LOOSE),
        max_parallel=2,
    )
    for name in ("old", "new"):
        stage.until(f"{run.id}/{name}", lambda one: stage.has_begun(one.id))
    leave(0.2)
    both = [stage.session(f"{run.id}/{name}") for name in ("old", "new")]
    newest = max(both, key=lambda one: one.started or 0.0)
    queued = stage.until(newest.id, lambda one: one.attempt == 2)
    assert queued.state is SessionState.QUEUED
    stage.until(newest.id, lambda one: one.held and one.held.kind is HoldKind.MEMORY)
    assert any(text.startswith("stopped: stopped by") for text in stage.events(newest.id, "state"))
    leave(8)
    gate.touch()
    ended = stage.wait(run.id)
    assert ended.state is RunState.DONE
    assert {one.attempt for one in ended.sessions} == {1, 2}
