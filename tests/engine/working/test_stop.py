"""Stopping: nothing is left running, nothing is lost."""

from pathlib import Path

import psutil
import pytest

from abreast import api
from abreast.engine.client.requests import connect
from abreast.engine.common.check import check_plan
from abreast.errors import NotFoundError
from abreast.model.moves import Say, Shell, Write
from abreast.model.session import RunState, Session, SessionState
from tests.support.deadlines import eventually
from tests.support.stage import Stage, scripted, task, until, writes

WORK = Write("half.txt", "half\n")
# A tool at work, as CLIs run it: a shell in a session of its own, with a child in the background.
TOOL = Shell("setsid sh -c 'sleep 1000 & echo begun > begun.txt; sleep 1000'")


def at_work(stage: Stage, name: str) -> list[psutil.Process]:
    """Wait until the tool of a session is at work; return the session's processes."""
    stage.until(name, lambda session: session.state is SessionState.RUNNING)
    worktree = Path(stage.session(name).worktree)
    eventually((worktree / "begun.txt").exists, f"the tool of {name} is at work")
    return stage.marked(name)


def gone(processes: list[psutil.Process]) -> bool:
    return not [process for process in processes if process.is_running()]


def assert_kept(stage: Stage, session: Session) -> None:
    assert session.state is SessionState.STOPPED
    assert session.reason == "stopped by you"
    assert stage.repo.git("show", f"refs/abreast/snap/{session.id}:half.txt") == "half"


def test_a_run_is_stopped_in_mid_tool_with_sessions_still_queued(
    shared_stage_on_both: Stage,
) -> None:
    stage = shared_stage_on_both
    run = stage.start(
        task("one", scripted(WORK, TOOL, Say("never said"))),
        task("two", scripted(WORK, TOOL, Say("never said"))),
        task("waits-for-a-slot", writes("new.txt")),
        task("waits-for-one", writes("new.txt"), needs=("one",)),
        max_parallel=2,
    )
    processes = at_work(stage, f"{run.id}/one") + at_work(stage, f"{run.id}/two")
    assert len(processes) >= 8  # for each: runner, player, shell, two sleeps
    stopped = api.stop(run.id, places=stage.places)
    assert gone(processes)
    assert [session.state for session in stopped] == [SessionState.STOPPED] * 4
    for session in stopped[:2]:
        assert_kept(stage, session)
        assert stage.marked(session.id) == []
    for session in stopped[2:]:
        assert (session.worktree, session.started) == ("", None)
    assert stage.wait(run.id).state is RunState.STOPPED

    assert api.stop(run.id, places=stage.places) == []
    assert api.stop(f"{run.id}/one", places=stage.places) == []
    assert stage.session(f"{run.id}/one") == stopped[0]


def test_one_session_is_stopped_and_the_others_go_on(shared_stage: Stage) -> None:
    stage = shared_stage
    go_on = stage.repo.path.parent / "go-on"
    waits = until(go_on)
    run = stage.start(
        task("one", scripted(WORK, TOOL)),
        task("other", scripted(Write("new.txt", "x"), waits)),
        task("queued", writes("new.txt")),
        task("needs-queued", writes("new.txt"), needs=("queued",)),
        max_parallel=2,
    )
    processes = at_work(stage, f"{run.id}/one")
    stage.until(f"{run.id}/other", lambda session: session.state is SessionState.RUNNING)
    # One that has not begun ends at once, though no slot is free for it.
    [queued] = api.stop(f"{run.id}/queued", places=stage.places)
    assert queued.state is SessionState.STOPPED
    [one] = api.stop("one", places=stage.places)
    assert gone(processes)
    assert_kept(stage, one)
    go_on.touch()

    ended = stage.wait(run.id)
    assert {session.task: session.state for session in ended.sessions} == {
        "one": SessionState.STOPPED,
        "other": SessionState.DONE,
        "queued": SessionState.STOPPED,
        "needs-queued": SessionState.SKIPPED,
    }


def test_setup_and_verify_are_stopped_too(shared_stage: Stage) -> None:
    stage = shared_stage
    slow = "touch begun.txt half.txt; echo half > half.txt; sleep 1000"
    run = stage.start(
        task("setup", scripted(WORK), setup=slow),
        task("verify", scripted(WORK), verify=slow),
    )
    for name in ("setup", "verify"):
        session = stage.until(f"{run.id}/{name}", lambda session: session.worktree)
        eventually((Path(session.worktree) / "begun.txt").exists, f"{name} is at work")
    stopped = api.stop(run.id, places=stage.places)
    for session in stopped:
        assert_kept(stage, session)
        assert stage.marked(session.id, session.task) == []
    assert not (stage.directory(f"{run.id}/setup") / "agent").exists()


def test_a_stop_may_come_before_any_worker(shared_stage: Stage) -> None:
    stage = shared_stage
    with connect(stage.places) as client:
        name = client.record(check_plan(stage.plan(task("one", writes("one.txt")))))
        [session] = client.stop(name)
    assert (session.state, session.worktree) == (SessionState.STOPPED, "")
    assert stage.wait(name).state is RunState.STOPPED
    assert stage.repo.git("branch", "--list", "abreast/*") == ""
    with pytest.raises(NotFoundError, match="there is no session"):
        api.stop("nothing-of-this-name", places=stage.places)
