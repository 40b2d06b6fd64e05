"""What may keep an agent from working is told before anything is made."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from abreast import api
from abreast.engine.common.check import agent_notes
from abreast.model.task import AgentChoice, Isolation, Plan
from abreast.places import find_places
from abreast.plan.options import Overrides
from tests.support.repos import Repo
from tests.support.stage import task

KEYS = ("ANTHROPIC_*", "CLAUDE_*", "OPENAI_*", "CODEX_*", "GEMINI_*", "GOOGLE_*")


@pytest.fixture
def here(repo: Repo, scratch_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with an edit, and CLIs of a later version that nobody is logged in to."""
    monkeypatch.chdir(repo.path)
    for name in [*os.environ]:
        if name.startswith(tuple(key.removesuffix("*") for key in KEYS)):
            monkeypatch.delenv(name)
    programs = scratch_home / "bin"
    programs.mkdir()
    for name in ("claude", "codex", "gemini"):
        (programs / name).write_text("#!/bin/sh\necho 99.0.1\n")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    (repo.path / "README.md").write_text("edited\n")
    return repo.path


class NothingYetError(Exception):
    """Ends a start as soon as it warns."""


def collect(told: list[str], most: int) -> Callable[[str], None]:
    def warn(text: str) -> None:
        told.append(text)
        if len(told) == most:
            raise NothingYetError

    return warn


def said_of(told: list[str], title: str, login: str) -> None:
    [newer] = [one for one in told if "may behave in other ways" in one]
    assert newer.startswith(f"{title} 99.0.1 ")
    [missing] = [one for one in told if "is not logged in" in one]
    assert missing.startswith(f"{title} is not logged in")
    assert login in missing


@pytest.mark.parametrize(
    ("agent", "title", "login"),
    [
        ("claude", "Claude Code", "claude auth login"),
        ("codex", "Codex CLI", "codex login"),
        ("gemini", "Gemini CLI", "GEMINI_API_KEY"),
    ],
)
def test_a_run_is_told_of_login_version_and_edits(
    here: Path, agent: str, title: str, login: str
) -> None:
    _, told = api.read_plan(None, ("Do it.",), Overrides(agent=agent), repo=here)
    said_of(told, title, login)
    assert [one for one in told if one.startswith("uncommitted changes will not be seen")]
    assert not find_places().worktrees.exists()


def test_a_delegation_is_told_and_of_edits_only_where_it_does_not_see_them(here: Path) -> None:
    told: list[str] = []
    with pytest.raises(NothingYetError):
        api.start_delegation("What?", agent="codex", repo=here, warn=collect(told, 2))
    said_of(told, "Codex CLI", "codex login")
    assert api.runs() == []
    told.clear()
    edits = api.contract("What?", repo=here, isolation=Isolation.WORKTREE)
    with pytest.raises(NothingYetError):
        api.start_delegation(edits, agent="codex", repo=here, warn=collect(told, 3))
    assert told[2].startswith("uncommitted changes will not be seen")
    assert api.runs() == []


def test_a_person_is_told_before_a_worktree_is_made(here: Path) -> None:
    told: list[str] = []
    with pytest.raises(NothingYetError):
        api.open_session("mine", "gemini", repo=here, warn=collect(told, 3))
    said_of(told, "Gemini CLI", "GEMINI_API_KEY")
    assert not find_places().worktrees.exists()


def test_nothing_is_told_of_an_agent_that_needs_no_login(here: Path) -> None:
    plan = Plan(tuple(task(name, AgentChoice(name)) for name in ("scripted", "command")))
    assert list(agent_notes(plan, os.environ)) == []
