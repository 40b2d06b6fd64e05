"""`abreast init`: proposes, tries in a fresh worktree, and writes what was agreed to."""

import json
import tomllib
from collections.abc import Iterator

import pytest

import abreast
from abreast.agents import AGENTS
from abreast.cli.edge import guard
from abreast.places import find_places
from abreast.plan.parse import read_plan_file
from tests.cli.test_door import Screen, screen  # noqa: F401 (a fixture)
from tests.support.repos import Repo
from tests.support.stage import Stage


@pytest.fixture
def made(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """A repository with a Makefile, around the current folder."""
    monkeypatch.chdir(repo.path)
    repo.write({"Makefile": "test:\n\ttest -e README.md\n"})
    repo.git("add", "-A")
    repo.git("commit", "-qm", "a Makefile")
    with Stage(find_places().make(), repo) as stage:
        yield stage


def test_a_person_agrees_and_the_next_run_verifies(made: Stage, screen: Screen) -> None:  # noqa: F811
    # What is typed while the trial is shown goes nowhere.
    text = screen.run("init", keys="y\n", then=("Write abreast.toml", "y\n"))
    assert "make test  (Makefile)" in text
    assert "1 of 1 task done" in text
    assert 'wrote "abreast.toml", "plan.toml"' in text
    path = made.repo.path
    assert tomllib.loads((path / "abreast.toml").read_text()) == {"verify": "make test"}
    assert made.repo.git("worktree", "list").count("\n") == 0, "the trial's worktree has gone"
    made.repo.git("add", "-A")
    made.repo.git("commit", "-qm", "settings")
    assert abreast.asked_settings() == {}, "whoever wrote it has said yes"
    assert len(read_plan_file(path / "plan.toml", agents=tuple(AGENTS)).plan.tasks) == 2


def test_what_does_not_work_is_not_written(made: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    assert guard(["init", "--yes", "--verify", "false"]) == 1
    assert "give others with --setup and --verify" in capsys.readouterr().err
    assert guard(["init", "--yes", "--json", "--verify", "false"]) == 1
    assert json.loads(capsys.readouterr().out)["error"]["hint"].startswith("give others")
    assert not (made.repo.path / "abreast.toml").exists()
    assert guard(["init", "--yes", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["written"]) == 2


def test_without_a_terminal_it_only_proposes(
    made: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    assert guard(["init"]) == 0
    assert "nothing was written; `--yes` writes it" in capsys.readouterr().err
    assert guard(["init", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["commands"]["verify"], found["written"]) == ("make test", [])
    assert made.repo.git("status", "--porcelain") == ""
    assert abreast.runs() == []


def test_what_is_there_already_stays(made: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    path = made.repo.path
    made.repo.write({"abreast.toml": "# ours\n[delegate]\nlimit_tokens = 700\n", "plan.toml": "x"})
    assert guard(["init", "--yes", "--no-try"]) == 0
    assert 'wrote "abreast.toml"' in capsys.readouterr().out
    text = (path / "abreast.toml").read_text()
    assert text.startswith("# ours\n")
    assert tomllib.loads(text) == {"delegate": {"limit_tokens": 700}, "verify": "make test"}
    assert (path / "plan.toml").read_text() == "x"
    assert guard(["init", "--yes", "--no-try", "--verify", "other"]) == 0
    assert (path / "abreast.toml").read_text() == text
