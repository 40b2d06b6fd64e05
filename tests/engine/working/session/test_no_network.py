"""Without a network: it takes a sandbox, which agent and verify are in."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from abreast.engine.client.delegating import Ask, contract, make_plan
from abreast.model.moves import Say
from abreast.model.session import SessionState
from abreast.model.task import AgentChoice
from abreast.process.environment import BROKER, CONFINED, OFFLINE
from tests.support.bubblewrap import settings_with_sandbox
from tests.support.repos import Repo
from tests.support.stage import Stage, task, writes


def test_it_does_not_start_without_a_sandbox(
    shared_stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "config.toml"
    file.write_text('sandbox = "none"\n')
    monkeypatch.setenv("ABREAST_CONFIG", str(file))
    [session] = shared_stage.run(task("one", writes("a.txt"), network=False)).sessions
    assert session.state is SessionState.FAILED
    assert "network = false needs a sandbox" in session.reason
    assert session.files == ()


def test_only_setup_has_a_network(
    shared_stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ABREAST_CONFIG", str(settings_with_sandbox(tmp_path / "config.toml")))
    count = "grep -c : /proc/net/dev"
    agent = AgentChoice("command", command=f"{count} > agent.txt; test -S $ABREAST_BROKER")
    outside = len(Path("/proc/net/dev").read_text().split(":")) - 1
    one = task(
        "one",
        agent,
        network=False,
        setup=f"test $({count}) -eq {outside}",
        verify=f"test $({count}) -eq 1",
    )
    [session] = shared_stage.run(one).sessions
    assert session.state is SessionState.DONE, session.reason
    assert shared_stage.repo.git("show", f"{session.commit}:agent.txt") == "1"


def test_verbs_that_are_not_there_say_so() -> None:
    env = {**os.environ, BROKER: "/nowhere"}
    argv = [sys.executable, "-m", "abreast", "answer"]
    done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "`abreast answer` is not to be had inside" in done.stderr


def test_a_child_is_no_way_to_what_its_parent_does_not_reach(repo: Repo) -> None:
    ask = Ask(AgentChoice("scripted", moves=(Say("x"),)))
    asked = [contract("Why?", repo.path)]
    for bounds, network in ((f"bwrap {OFFLINE}", False), ("bwrap", True), ("", True)):
        [child] = make_plan(asked, ask, tree=repo.path, environ={CONFINED: bounds}).tasks
        assert child.network is network
