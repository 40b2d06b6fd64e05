"""A task's bare name means a session of the repository that one stands in."""

from pathlib import Path

import pytest

import abreast
from tests.support.repos import make_repo
from tests.support.stage import Stage, task, writes


def test_a_task_of_this_repository_comes_before_a_newer_one_elsewhere(
    local_stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage, other = local_stage, make_repo(tmp_path / "other")
    here = stage.run(task("one", writes("a.txt"))).id
    with monkeypatch.context() as patch:
        patch.setattr(stage, "repo", other)
        there = stage.run(task("one", writes("a.txt"))).id

    def meant(folder: Path) -> str:
        monkeypatch.chdir(folder)
        return abreast.find_session("one", places=stage.places).run

    (stage.repo.path / "src").mkdir(exist_ok=True)
    assert meant(stage.repo.path / "src") == here
    assert meant(Path(stage.session(f"{here}/one").worktree)) == here
    assert meant(other.path) == there
    assert meant(tmp_path) == there  # in no repository: the newest
