"""The database is lost, emptied or damaged: the work is not, and abreast says where it is."""

import json
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from abreast.cli.edge import guard
from abreast.model.moves import Fail, Write
from tests.support.stage import Stage, scripted, task, writes

Calls = Callable[..., tuple[int, str, str]]


@pytest.fixture
def database(local_stage: Stage) -> Iterator[Path]:
    """The stage's database file, which is put back at the end."""
    file = local_stage.places.state / "abreast.db"
    yield file
    for left in file.parent.glob("abreast.db*"):
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    shutil.copy(file.with_name("kept.db"), file)


def keep(stage: Stage, database: Path) -> None:
    """End the worker, and keep a copy of its database, which has all in one file then."""
    stage.end_worker()
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
    shutil.copy(database, database.with_name("kept.db"))


def empty(file: Path) -> None:
    file.write_bytes(b"")


def fill(file: Path) -> None:
    file.write_bytes(b"hello, this is no database\n" * 200)


def break_a_page(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        [size] = connection.execute("PRAGMA page_size").fetchone()
        query = "SELECT rootpage FROM sqlite_master WHERE name = 'abreast_runs'"
        [page] = connection.execute(query).fetchone()
    with file.open("r+b") as opened:
        opened.seek((page - 1) * size)
        opened.write(b"\xff" * size)


@pytest.fixture
def abreast(
    local_stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Calls:
    """The command line in the stage's state folder and repository: code, stdout, stderr."""
    monkeypatch.setenv("ABREAST_STATE_DIR", str(local_stage.places.state))
    monkeypatch.setenv("HOME", str(local_stage.places.state.parent))
    monkeypatch.chdir(local_stage.repo.path)

    def call(*arguments: str) -> tuple[int, str, str]:
        code = guard(arguments)
        out, err = capsys.readouterr()
        return code, out, err

    return call


def finding(abreast: Calls) -> dict[str, dict[str, str]]:
    """What the doctor sees of work without a record, by what its commands are about."""
    code, out, err = abreast("doctor", "--json")
    assert code == 1, err
    [found] = [one for one in json.loads(out)["findings"] if one["id"] == "lost-records"]
    assert found["severity"] == "severe"
    return {one["path"]: one for one in found["evidence"]}


def carried_out(command: str) -> str:
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, (command, done.stderr)
    return done.stdout


@pytest.mark.parametrize("lose", [Path.unlink, empty])
def test_a_database_that_is_gone_is_not_taken_for_a_first_day(
    local_stage: Stage, database: Path, abreast: Calls, lose: Callable[[Path], None]
) -> None:
    stage = local_stage
    assert abreast("status")[2].startswith("nothing has run yet")
    assert abreast("doctor")[0] == 0
    one = writes("one.txt")
    half = scripted(Write("half.txt", "half"), Fail("no more"))
    run = stage.run(task("one", one), task("half", half))
    assert json.loads(abreast("status", "--json")[1])["unrecorded"] == []
    keep(stage, database)
    lose(database)

    code, _, said = abreast("status")
    assert said.startswith("no run is on record, but there is work of 2 sessions:")
    assert all(session.worktree in said for session in run.sessions)
    assert "hint: abreast doctor" in said
    assert code == 0
    left = json.loads(abreast("status", "--json")[1])["unrecorded"]
    assert [found["id"] for found in left] == [f"{run.id}/half", f"{run.id}/one"]

    seen = finding(abreast)
    done, failed = run.sessions
    assert f"refs/heads/{done.branch}" in seen[done.worktree]["text"]
    assert "nothing to commit" in carried_out(seen[done.worktree]["command"])
    assert f"refs/abreast/snap/{failed.id}" in seen[failed.worktree]["text"]
    assert "half.txt" in carried_out(seen[failed.worktree]["command"])
    stage.repo.git("merge", "-q", done.branch)  # as the fix says
    assert (stage.repo.path / "one.txt").exists()

    # With the worktrees gone as well there are refs, which say whose they are.
    shutil.rmtree(stage.places.worktrees)
    shutil.rmtree(stage.places.sessions)
    [refs] = finding(abreast)
    assert refs == str(stage.repo.path / ".git")

    # A new run does not hide it.
    (database.parent / "worktrees/shop/aaaaa/old/.git").mkdir(parents=True)
    stage.run(task("new", writes("new.txt")))
    assert "no record tells of 1 session" in abreast("status")[2]
    stage.end_worker()
    shutil.rmtree(stage.places.worktrees / "shop")


@pytest.mark.parametrize("damage", [fill, break_a_page])
def test_a_damaged_database_is_called_so_and_can_be_put_aside(
    local_stage: Stage, database: Path, abreast: Calls, damage: Callable[[Path], None]
) -> None:
    stage = local_stage
    run = stage.run(task("one", writes("one.txt")))
    keep(stage, database)
    damage(database)
    broken = database.read_bytes()
    for verb in (("status",), ("resume", run.id), ("clean",), ("watch",), ("handoff", "one")):
        code, _, said = abreast(*verb)
        assert code == 1
        if verb[0] != "handoff":  # which looks for a transcript of that name as well
            assert "damaged" in said
            assert "hint: abreast doctor tells where the work is" in said
    assert database.read_bytes() == broken

    seen = finding(abreast)
    assert run.sessions[0].worktree in seen
    carried_out(seen[str(database)]["command"])
    assert (database.with_name("abreast.db-damaged") / "abreast.db").read_bytes() == broken
    assert abreast("status")[2].startswith("no run is on record, but there is work of 1 session")
    assert [run.sessions[0].worktree] == list(finding(abreast))
