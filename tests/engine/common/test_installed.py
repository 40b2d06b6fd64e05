"""Which versions of a CLI are used: what was tried, what is newer, and never what is older."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abreast import api
from abreast.agents import AGENTS
from abreast.agents.parts import Certified, VersionStatus
from abreast.engine.client.delegating import Ask, make_plan
from abreast.engine.common.installed import find_fit
from abreast.errors import AgentError, ContractError, PlanError
from abreast.model.task import Contract
from abreast.plan.options import Overrides
from tests.support.repos import Repo

CERTIFIED = {agent.name: agent.certified for agent in AGENTS.values() if agent.certified}


@pytest.mark.parametrize(
    ("version", "standing"),
    [
        ("0.56.0", VersionStatus.TRIED),
        ("0.58.3", VersionStatus.TRIED),
        ("0.61.0", VersionStatus.TRIED),
        ("0.61.0-nightly.20261101", VersionStatus.TRIED),
        ("v0.60.0 (stable)", VersionStatus.TRIED),
        ("0.9.0", VersionStatus.TOO_OLD),
        ("0.55.9", VersionStatus.TOO_OLD),
        ("0.56.0-preview.2", VersionStatus.TOO_OLD),
        ("0.61.1", VersionStatus.UNTRIED),
        ("0.100.0", VersionStatus.UNTRIED),
        ("1.0.0", VersionStatus.UNTRIED),
        ("", VersionStatus.UNTRIED),
        ("unknown", VersionStatus.UNTRIED),
    ],
)
def test_a_version_stands_to_what_was_tried(version: str, standing: VersionStatus) -> None:
    assert Certified("0.56.0", "0.61.0").standing(version) is standing


NUMBERS = st.lists(st.integers(0, 300), min_size=3, max_size=3)


@given(NUMBERS, NUMBERS, NUMBERS)
def test_versions_are_numbers_not_words(one: list[int], two: list[int], it: list[int]) -> None:
    oldest, newest = sorted([one, two])
    tried = Certified(".".join(map(str, oldest)), ".".join(map(str, newest)))
    expected = VersionStatus.UNTRIED
    if it < oldest:
        expected = VersionStatus.TOO_OLD
    elif it <= newest:
        expected = VersionStatus.TRIED
    assert tried.standing(".".join(map(str, it))) is expected


def test_what_the_suite_runs_is_what_is_said_to_be_tried() -> None:
    pinned = Path(__file__).parents[2] / "clis"
    packages = {
        "claude": "@anthropic-ai/claude-code",
        "codex": "@openai/codex",
        "gemini": "@google/gemini-cli",
    }
    assert packages.keys() == CERTIFIED.keys()
    for name, package in packages.items():
        found = [
            json.loads((folder / "package.json").read_text())["dependencies"][package]
            for folder in (pinned / "oldest", pinned)
        ]
        assert CERTIFIED[name] == Certified(*found)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder of PATH besides the system's."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


def install(path: Path, name: str, version: str) -> None:
    """Put a program there that is in no package: only running it tells its version."""
    (path / name).write_text(f"#!/bin/sh\necho '{name} {version}'\n")
    (path / name).chmod(0o755)


@pytest.mark.parametrize("name", CERTIFIED)
def test_an_older_one_is_refused_by_name(name: str, path: Path, repo: Repo) -> None:
    install(path, name, "0.1.2")
    environ = {"PATH": str(path)}
    with pytest.raises(AgentError) as refused:
        find_fit(AGENTS[name], environ)
    tried = CERTIFIED[name]
    assert "0.1.2 is too old" in refused.value.message
    assert tried.oldest in refused.value.message
    assert str(path / name) in refused.value.message
    assert AGENTS[name].install_hint in str(refused.value.hint)
    with pytest.raises(PlanError) as problems:
        api.read_plan(None, ["do it"], Overrides(agent=name), repo=repo.path)
    assert [p.message for p in problems.value.problems] == [refused.value.message]
    [row] = [info for info in api.agents(environ) if info.name == name]
    assert (row.version, row.standing, row.certified) == ("0.1.2", VersionStatus.TOO_OLD, tried)


@pytest.mark.parametrize("version", ["999.0.1", ""], ids=["newer", "silent"])
def test_a_newer_one_is_used_and_called_untried(version: str, path: Path) -> None:
    install(path, "gemini", version)
    environ = {"PATH": str(path)}
    assert find_fit(AGENTS["gemini"], environ).version == version or not version
    [row] = [info for info in api.agents(environ) if info.name == "gemini"]
    assert row.standing is VersionStatus.UNTRIED


def test_a_question_goes_to_one_that_can_be_used(path: Path, repo: Repo) -> None:
    question = Contract("Where is it?")
    environ = {"PATH": str(path)}
    install(path, "claude", "1.0.0")
    with pytest.raises(ContractError, match="no agent CLI is installed that can answer"):
        make_plan([question], Ask(), tree=repo.path, environ=environ)
    install(path, "codex", CERTIFIED["codex"].newest)
    [task] = make_plan([question], Ask(), tree=repo.path, environ=environ).tasks
    assert task.agent.name == "codex"
