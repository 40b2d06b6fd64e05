"""Bad input: everything that is wrong is said at once, and nothing has begun."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from abreast import api
from abreast.engine.client.requests import connect
from abreast.errors import AbreastError, PlanError, Problem
from abreast.model.session import LandMode
from abreast.model.task import AgentChoice, Plan, Task
from abreast.places import find_places
from abreast.plan.options import Overrides
from tests.support.repos import Repo
from tests.support.stage import Stage, task, writes

PLAN = """\
base = "no-such-branch"
unknown = 1
agent = "gpt"

[[task]]
id = "../up"
prompt = "x"

[[task]]
id = "twice"
prompt = "x"
needs = ["nobody"]

[[task]]
id = "twice"
prompt = "  "

[[task]]
id = "hen"
prompt = "x"
needs = ["egg"]

[[task]]
id = "egg"
prompt = "x"
needs = ["hen"]
"""


def where_and_what(problems: Iterable[Problem]) -> list[str]:
    return [f"{problem.where}: {problem.message}" for problem in problems]


def test_a_plan_file_is_refused_with_all_that_is_wrong(repo: Repo, tmp_path: Path) -> None:
    file = tmp_path / "plan.toml"
    file.write_text(PLAN)
    with pytest.raises(PlanError) as refused:
        api.read_plan(file, repo=repo.path)
    told = where_and_what(refused.value.problems)
    for part in (
        f"{file}:2 unknown: unknown key",
        f"{file}:3 agent: there is no agent `gpt`",
        f"{file}:6 task ../up.id: the id may not contain '/'",
        f"{file}:12 task twice.needs: there is no task `nobody`",
        f"{file}:15 task twice.id: line 10 has a task of this id already",
        f"{file}:16 task twice.prompt: the prompt is empty",
        f"{file}:21 task hen.needs: tasks wait for each other: `hen` needs `egg` needs `hen`",
        "base: no commit is called 'no-such-branch'",
    ):
        assert [line for line in told if line.startswith(part)], f"{part} in {told}"
    assert all(problem.message for problem in refused.value.problems)
    assert_nothing_was_made(repo)


def test_the_place_is_checked_too(scratch_home: Path, tmp_path: Path, repo: Repo) -> None:
    file = tmp_path / "plan.toml"
    file.write_text('[[task]]\nid = "one"\nprompt = "x"\nwrong = 1\nagent = "codex"\n')
    nowhere = tmp_path / "nowhere"
    nowhere.mkdir()
    with pytest.raises(PlanError) as refused:
        api.read_plan(file, repo=nowhere)
    told = where_and_what(refused.value.problems)
    assert told[0].startswith(f"{file}:4 task one.wrong: unknown key")
    assert told[1] == f"repository: {nowhere} is not in a git repository"
    assert "git init" in str(refused.value.problems[1].hint)

    unborn = Repo(nowhere)
    unborn.git("init", "-q")
    with pytest.raises(PlanError, match="has no commit, and sessions start from a commit"):
        api.read_plan(None, ["do it"], repo=nowhere)
    assert_nothing_was_made(repo)


def test_an_agent_that_is_not_installed_is_told(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    with pytest.raises(PlanError) as refused:
        api.read_plan(None, ["do it"], Overrides(agent="gemini", base="nope"), repo=repo.path)
    agent, base = refused.value.problems
    assert agent.message == "Gemini CLI is not installed"
    assert "npm install" in str(agent.hint)
    assert base.where == "base"
    assert_nothing_was_made(repo)


def test_a_plan_made_by_a_program_is_held_to_the_same(local_stage: Stage) -> None:
    stage = local_stage
    nothing = AgentChoice("nobody")
    plan = stage.plan(
        task("Up/../..", nothing),
        task("twice", writes("x"), needs=("nobody",)),
        task("twice", writes("x")),
        task("hen", writes("x"), needs=("egg",)),
        task("egg", writes("x"), needs=("hen",)),
        Task("empty", " ", "Nothing.", writes("x")),
        land=LandMode.PR,
        target="no-such-branch",
    )
    with connect(stage.places) as client, pytest.raises(PlanError) as refused:
        client.start(plan, {"PATH": "/nowhere"})
    told = where_and_what(refused.value.problems)
    for part in (
        "task 'empty': the prompt is empty",
        "task 'Up/../..': the id may not contain '/' 'U'",
        "task 'twice': 2 tasks have this id",
        "task 'twice': needs 'nobody', and there is no such task",
        "task 'hen': tasks wait for each other: hen needs egg needs hen",
        "agent: nobody is unknown",
        "target: there is no local branch no-such-branch",
        "land: pull requests need the program `gh`, which is missing",
        "land: pull requests need a remote named origin",
    ):
        assert part in told
    with connect(stage.places) as client, pytest.raises(PlanError, match="there is no task"):
        client.start(Plan((), repo=str(stage.repo.path)))
    assert stage.worker() is None
    assert api.runs(places=stage.places) == []
    assert list(stage.places.runs.iterdir()) == []
    assert_nothing_was_made(stage.repo)


def test_a_name_that_is_no_name_opens_nothing(local_stage: Stage) -> None:
    stage = local_stage
    with pytest.raises(AbreastError, match="the id may not contain"):
        api.open_session("../../etc", "scripted", repo=stage.repo.path, places=stage.places)
    assert api.runs(places=stage.places) == []
    assert_nothing_was_made(stage.repo)


def test_reading_a_plan_makes_nothing(repo: Repo, tmp_path: Path) -> None:
    file = tmp_path / "plan.toml"
    file.write_text('agent.command = "true"\n[[task]]\nid = "one"\nprompt = "x"\n')
    plan, notes = api.read_plan(file, repo=repo.path)
    assert (plan.base_sha, notes) == (repo.git("rev-parse", "HEAD"), [])
    assert not find_places().state.exists()
    assert_nothing_was_made(repo)


def assert_nothing_was_made(repo: Repo) -> None:
    assert repo.git("for-each-ref", "--format=%(refname)") == "refs/heads/main"
    assert len(repo.git("worktree", "list").splitlines()) == 1
    assert repo.git("status", "--porcelain") == ""
