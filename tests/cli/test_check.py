"""`abreast check`: what it prints, and what it writes."""

import json
from pathlib import Path

import pytest

from abreast.cli import main
from tests.support.repos import Repo, make_repo

EXAMPLE = (Path(__file__).parents[2] / "docs/gate.md").read_text()


@pytest.fixture
def repo(tmp_path: Path, scratch_home: Path, monkeypatch: pytest.MonkeyPatch) -> Repo:
    made = make_repo(
        tmp_path / "repo",
        {
            "src/http/client.py": "class Client: ...\n",
            "docs/manual.md": "# manual\n",
            "pyproject.toml": "[project]\n",
        },
    )
    monkeypatch.chdir(made.path)
    monkeypatch.setenv("COLUMNS", "100")
    (tmp_path / "plan.toml").write_text(EXAMPLE.partition("```toml\n")[2].partition("```")[0])
    return made


def test_the_example_of_the_manual(repo: Repo, capsys: pytest.CaptureFixture[str]):
    assert main(["check", "../plan.toml"]) == 0
    printed = EXAMPLE.partition("```\n\n```\n")[2].partition("```")[0]
    assert _lines(capsys.readouterr().out) == _lines(printed)


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.strip().splitlines()]


def test_json_has_all_of_it(repo: Repo, capsys: pytest.CaptureFixture[str]):
    assert main(["check", "../plan.toml", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["schema"] == 1
    assert found["shape"] == "waves"
    assert len(found["pairs"]) == 6
    assert found["edges"][0].keys() == {"earlier", "later", "why"}


def test_write_shows_the_change_and_asks(repo: Repo, capsys: pytest.CaptureFixture[str]):
    plan = repo.path.parent / "plan.toml"
    old = plan.read_text()
    assert main(["check", str(plan), "--write"]) == 1  # nobody is there to say yes
    told = capsys.readouterr()
    assert '+after = ["retry-http"]' in told.out
    assert "nothing was written" in told.err
    assert plan.read_text() == old
    assert main(["check", str(plan), "--write", "--yes"]) == 0
    assert 'after = ["retry-http"]' in plan.read_text()


def test_tasks_in_words(repo: Repo, capsys: pytest.CaptureFixture[str]):
    assert main(["check", "-t", "fix the login", "-t", "write the manual"]) == 0
    assert capsys.readouterr().out.startswith("wide: 2 tasks, as far as is known")


def test_a_plan_or_tasks(repo: Repo, capsys: pytest.CaptureFixture[str]):
    assert main(["check"]) == 2
    assert main(["check", "-t", "one", "--write"]) == 2
