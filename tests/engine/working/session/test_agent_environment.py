"""What `abreast agents --env` shows is what an agent has."""

import json
from pathlib import Path

import pytest

from abreast import api
from abreast.api.machine import agent_environment
from abreast.model.session import SessionState
from abreast.model.task import AgentChoice
from tests.cli.test_edge import abreast
from tests.support.stage import Stage, task

SECRET = "hunter2hunter2hunter2"
YOURS = {
    "ANTHROPIC_API_KEY": SECRET,
    "OPENAI_API_KEY": SECRET,
    "DATABASE_URL": f"postgres://me:{SECRET}@host/db",
    "HTTPS_PROXY": f"http://me:{SECRET}@proxy:1",
    "AWS_SECRET_ACCESS_KEY": SECRET,
    "SSH_AUTH_SOCK": "/run/agent",
    "LC_TIME": "C",
}


@pytest.fixture
def yours(monkeypatch: pytest.MonkeyPatch, scratch_home: Path) -> None:
    for name, value in YOURS.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("yours")
def test_an_agent_has_the_variables_that_are_shown(local_stage: Stage, tmp_path: Path) -> None:
    out = tmp_path / "environ"
    choice = AgentChoice("command", command=f"cat /proc/$$/environ > {out}")
    run = local_stage.run(task("one", choice, changes=False), pass_env=("DATABASE_URL",))
    assert run.sessions[0].state is SessionState.DONE, run.sessions[0].reason
    given = dict(one.split("=", 1) for one in out.read_text().split("\0") if one)
    shown = agent_environment("command", ("DATABASE_URL",), {**given, **YOURS})
    assert [one.name for one in shown.variables] == sorted(given)
    own = {one.name: one.value for one in shown.variables if not one.added}
    assert own == {name: given[name] for name in own}
    assert {one.name for one in shown.variables if one.added} <= {
        *("ABREAST_SESSION", "ABREAST_MARKER", "ABREAST_PROMPT_FILE"),
    }
    assert {"ANTHROPIC_API_KEY", "AWS_SECRET_ACCESS_KEY", "SSH_AUTH_SOCK"} <= {*shown.withheld}


@pytest.mark.usefixtures("yours")
def test_secrets_are_shown_on_demand_alone() -> None:
    shown = abreast("agents", "--env", "command").stdout
    assert SECRET not in shown
    assert "HTTPS_PROXY=http://me:***@proxy:1" in shown
    assert "not passed on: " in shown
    assert "ANTHROPIC_API_KEY" in shown.partition("not passed on: ")[2]
    document = json.loads(abreast("agents", "--env", "command", "--json").stdout)
    assert SECRET not in json.dumps(document)
    assert document["agent"] == "command"
    assert "LC_TIME" in {one["name"] for one in document["variables"]}
    assert (
        f"HTTPS_PROXY=http://me:{SECRET}"
        in abreast("agents", "--env", "command", "--values").stdout
    )


@pytest.mark.usefixtures("yours")
def test_what_cannot_be_shown_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "no agent is named `nosuch`" in abreast("agents", "--env", "nosuch").stderr
    assert "--values goes with --env" in abreast("agents", "--values").stderr
    assert api.agent_environment("scripted").agent == "scripted"
    monkeypatch.setenv("PATH", "/nowhere")
    assert "is not installed" in abreast("agents", "--env", "codex").stderr
