"""A disk that is full, for the state or for the repository: told in one line, and no work lost."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from abreast import api
from abreast.cli.edge import guard
from abreast.engine.common.worker_process import ensure_worker
from abreast.errors import AbreastError
from abreast.model.moves import Say, Shell, Write
from abreast.model.session import LandMode, LandState, RunState, SessionState
from abreast.runner.job import STREAM, load_result
from tests.support.deadlines import eventually
from tests.support.disks import Disk
from tests.support.repos import Repo, make_repo
from tests.support.stage import Stage, scripted, task, until, writes


@pytest.fixture
def settings(tmp_path: Path, scratch_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's settings: a disk may become full."""
    file = tmp_path / "config.toml"
    file.write_text("[disk]\nmin_free_mb = 0\n")
    monkeypatch.setenv("ABREAST_CONFIG", str(file))
    return file


@pytest.fixture
def on_disk(disk: Disk, settings: Path, repo: Repo) -> Iterator[Stage]:
    """A stage whose state folder is on a disk of its own."""
    with Stage.on_sqlite(disk.path / "state", repo) as built:
        yield built


def test_a_full_disk_for_the_state_is_waited_for(
    on_disk: Stage, disk: Disk, tmp_path: Path
) -> None:
    """The agent prints more than there is room for; nothing of it is lost once there is room."""
    stage, go = on_disk, tmp_path / "go"
    prints = Shell("i=0; while [ $i -lt 2000 ]; do echo line $i of many; i=$((i+1)); done")
    moves = (until(go), prints, Write("one.txt", "one"), Say("done"))
    run = stage.start(task("one", scripted(*moves)))
    eventually(lambda: stage.has_begun(f"{run.id}/one"), "its agent")
    job = stage.directory(f"{run.id}/one") / "agent"
    eventually(lambda: stage.marked(f"{run.id}/one"), "its process")
    disk.fill()
    before = (job / STREAM).stat().st_size
    go.touch()
    worktree = Path(stage.session(f"{run.id}/one").worktree)
    assert load_result(job) is None
    disk.free()
    ended = stage.wait(run.id)
    assert ended.state is RunState.DONE, ended.sessions
    assert (job / STREAM).stat().st_size > before
    assert (worktree / "one.txt").exists()
    assert stage.repo.git("show", f"{ended.sessions[0].commit}:one.txt") == "one"


def test_a_command_says_which_disk_is_full_and_changes_nothing(
    on_disk: Stage,
    disk: Disk,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    stage = on_disk
    stage.run(task("zero", writes("zero.txt")))
    stage.end_worker()
    monkeypatch.setenv("ABREAST_STATE_DIR", str(stage.places.state))
    monkeypatch.chdir(stage.repo.path)
    before = sorted(stage.places.runs.iterdir())
    capsys.readouterr()
    for line in (("retry", "zero"), ("retry", "zero", "--json")):
        disk.fill()  # the one before may have left a page free
        assert guard(line) == 1
        told, hint = capsys.readouterr().err.splitlines()[:2]
        assert told.startswith("abreast: ")
        assert "full" in told
        assert str(stage.places.state) in told
        assert hint.startswith("hint: free some space there")
    assert guard(["status"]) == 0  # what only reads works
    disk.free()
    assert sorted(stage.places.runs.iterdir()) == before
    assert not list(stage.places.logs.glob("bug-*"))


def test_a_full_disk_for_the_repository_is_waited_for(
    disk: Disk, settings: Path, tmp_path: Path
) -> None:
    """The work is in the worktree; it is committed and landed once there is room."""
    repo = make_repo(disk.path / "repo")
    go = tmp_path / "go"
    with Stage.on_sqlite(tmp_path / "state", repo) as stage:
        big = Shell("head -c 300000 /dev/urandom > big.bin")
        run = stage.start(
            task("one", scripted(big, until(go), Write("one.txt", "one"), Say("done"))),
            land=LandMode.MERGE,
        )
        eventually(lambda: stage.has_begun(f"{run.id}/one"), "its agent")
        worktree = Path(stage.session(f"{run.id}/one").worktree)
        eventually((worktree / "big.bin").exists, "its work")
        disk.fill()
        go.touch()
        told = f"waits: the disk of {disk.path / 'repo/.git'} is full"
        eventually(
            lambda: any(told in text for text in stage.events(f"{run.id}/one", "warning")),
            "that it waits",
        )
        assert not stage.session(f"{run.id}/one").state.final
        disk.free()
        ended = stage.wait(run.id)
        [session] = ended.sessions
        assert session.state is SessionState.DONE, session
        assert session.landing is LandState.LANDED
        assert repo.git("show", "main:one.txt") == "one"
        assert "error" not in repo.git("fsck", "--no-dangling")


def test_a_worker_waits_for_a_database_on_a_full_disk(
    on_disk: Stage, disk: Disk, tmp_path: Path
) -> None:
    stage, go = on_disk, tmp_path / "go"
    run = stage.start(task("one", scripted(until(go), Write("one.txt", "one"), Say("done"))))
    eventually(lambda: stage.has_begun(f"{run.id}/one"), "its agent")
    stage.kill_worker()
    disk.fill()
    with pytest.raises((AbreastError, OSError), match=r"full|did not start|No space left"):
        api.resume(run.id, places=stage.places)
    disk.free()
    go.touch()
    ensure_worker(stage.places)
    assert stage.wait(run.id).state is RunState.DONE


def test_a_disk_that_runs_low_stops_new_sessions_not_old_ones(
    on_disk: Stage, settings: Path, tmp_path: Path
) -> None:
    stage, go = on_disk, tmp_path / "go"
    old = stage.start(task("old", scripted(until(go), Write("old.txt", "old"), Say("done"))))
    eventually(lambda: stage.has_begun(f"{old.id}/old"), "its agent")
    settings.write_text("[disk]\nmin_free_mb = 1000\n")
    os.utime(settings, (1, 1))  # changed, whatever the clock's grain
    new = stage.start(task("new", writes("new.txt")))
    told = f"the disk of {stage.places.state} has"

    def waits() -> bool:
        rows = api.snapshot(new.id, places=stage.places).rows
        return any(told in row.waits and "less than 1,000 MB" in row.waits for row in rows)

    eventually(waits, "that it waits for room")
    assert stage.session(f"{new.id}/new").state is SessionState.QUEUED
    go.touch()
    assert stage.wait(old.id).state is RunState.DONE
    assert stage.session(f"{new.id}/new").state is SessionState.QUEUED
    settings.write_text("[disk]\nmin_free_mb = 1\n")
    assert stage.wait(new.id).state is RunState.DONE
