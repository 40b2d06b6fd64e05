"""A state folder, or a repository, that is read-only: told, and nothing is half made."""

from pathlib import Path

import pytest

from abreast.cli.edge import guard
from abreast.model.session import RunState
from tests.support.disks import Disk
from tests.support.repos import Repo, make_repo
from tests.support.stage import Stage, task, writes

RUN = ("run", "plan.toml")
PLAN = """
[[task]]
id = "one"
prompt = "Do it."
agent = { command = "touch one.txt" }
"""


def everything(folder: Path) -> dict[str, int]:
    return {str(one): one.lstat().st_mtime_ns for one in folder.rglob("*")}


@pytest.fixture
def here(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> Repo:
    (repo.path / "plan.toml").write_text(PLAN)
    monkeypatch.chdir(repo.path)
    return repo


def test_a_read_only_state_folder_is_told_and_can_be_looked_at(
    disk: Disk,
    here: Repo,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "config.toml").write_text("[disk]\nmin_free_mb = 0\n")
    monkeypatch.setenv("ABREAST_CONFIG", str(tmp_path / "config.toml"))
    state = disk.path / "state"
    monkeypatch.setenv("ABREAST_STATE_DIR", str(state))
    with Stage.on_sqlite(state, here) as stage:
        run = stage.run(task("zero", writes("zero.txt")))
        assert run.state is RunState.DONE
        stage.end_worker()
        disk.allow_writing(False)
        try:
            before = everything(state)
            for line in (RUN, ("resume", run.id), ("land", run.id), ("recover",), ("worker",)):
                capsys.readouterr()
                assert guard(line) == 1, line
                told, hint = capsys.readouterr().err.splitlines()[-2:]
                assert told == f"abreast: {state} cannot be written: Read-only file system"
                assert hint == "hint: set ABREAST_STATE_DIR to a folder that you can write"
            for line in (("status",), ("show", "zero"), ("diff", "zero"), ("rescue",)):
                assert guard(line) == 0, capsys.readouterr().err
            assert everything(state) == before
        finally:
            disk.allow_writing(True)
        capsys.readouterr()


def test_a_read_only_repository_is_told_before_anything_is_made(
    disk: Disk, scratch_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    repo = make_repo(disk.path / "repo", {"plan.toml": PLAN})
    monkeypatch.chdir(repo.path)
    disk.allow_writing(False)
    try:
        assert guard(RUN) == 1
        said = capsys.readouterr().err
        assert f"{repo.path / '.git'} cannot be written: a session needs a branch there" in said
        assert "hint: make it writable" in said
        assert not [*scratch_home.rglob("runs/*"), *scratch_home.rglob("worktrees/*")]
    finally:
        disk.allow_writing(True)
