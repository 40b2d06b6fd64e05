"""A real, headless run of each CLI after connecting: what its model is offered, on the wire."""

import json
import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from abreast import api
from abreast.agents import AGENTS, connectable
from abreast.agents.parts import _ORDINARY_NAMES, variables
from abreast.engine.client.connect.register import TEXT
from abreast.loopback.server import Loopback
from abreast.mcp_server.words import TOOLS
from abreast.model.moves import Call, Say, Scenario
from abreast.places import Places
from tests.support.clis import cli_environ, require_cli
from tests.support.deadlines import SECONDS
from tests.support.repos import make_repo

GEMINI = {
    "security": {"auth": {"selectedType": "gemini-api-key"}},
    "privacy": {"usageStatisticsEnabled": False},
}
RUNS = {
    "claude": ("claude", "-p", "hello", "--allowedTools", "mcp__abreast"),
    # Of this model the tools are called by JavaScript, not found by a search first.
    "codex": ("codex", "exec", "--json", "-m", "gpt-6.1-sol", "hello"),
    "gemini": ("gemini", "-p", "hello", "-m", "flash"),
}
TOOL = {"claude": "mcp__abreast__{}", "gemini": "mcp_abreast_{}"}


class Desk:
    """One CLI with a home of its own, in a repository, in front of the loopback server."""

    def __init__(self, agent: str, folder: Path, loop: Loopback) -> None:
        require_cli(agent)
        self.agent, self.loop, self.folder = agent, loop, folder
        self.home = folder / "home"
        self.environ = cli_environ(AGENTS[agent], loop.url, self.home)
        self.environ["ABREAST_STATE_DIR"] = str(folder / "state")
        self.repo = make_repo(folder / "repo").path
        if agent == "gemini":
            self.environ["GEMINI_CLI_TRUST_WORKSPACE"] = "true"
            (self.home / ".gemini").mkdir()
            (self.home / ".gemini/settings.json").write_text(json.dumps(GEMINI))
        if agent == "codex":
            trust = f'\n[projects."{self.repo}"]\ntrust_level = "trusted"\n'
            config = self.home / ".codex/config.toml"
            config.write_text(config.read_text() + trust)

    def connect(self, scope: str = "user") -> api.Connection:
        places = Places(self.folder / "state", "")
        return api.connect(
            self.agent, scope=scope, repo=self.repo, environ=self.environ, places=places
        )

    def run(self) -> str:
        """Run it once; return what its model was asked, all requests in a row."""
        done = subprocess.run(
            RUNS[self.agent],
            cwd=self.repo,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return json.dumps([request.body for request in self.loop.requests])


@pytest.fixture
def loop():
    with Loopback([Scenario("hello", (Say("Done."),))]) as server:
        yield server


@pytest.mark.clis
@pytest.mark.parametrize("scope", ["user", "project"])
@pytest.mark.parametrize("agent", connectable())
def test_the_model_is_offered_the_tools_and_the_skill(agent, scope, tmp_path, loop):
    desk = Desk(agent, tmp_path, loop)
    desk.connect(scope)
    said = desk.run()
    description = TEXT.split("description: ")[1].split("\n")[0]
    assert said.count(description) >= 1
    if agent == "codex":  # it names the server; the tools are behind a search
        assert "- mcp__abreast: " in said
    else:
        for tool in TOOLS:
            assert json.dumps(TOOL[agent].format(tool["name"])) in said
    assert loop.egress == []


@pytest.mark.clis
@pytest.mark.parametrize("agent", connectable())
def test_without_connecting_there_is_nothing(agent, tmp_path, loop):
    assert "abreast-delegate" not in (said := Desk(agent, tmp_path, loop).run())
    assert "mcp__abreast" not in said.replace("mcp_abreast", "mcp__abreast")


@pytest.mark.clis
@pytest.mark.parametrize("agent", connectable())
def test_a_call_is_allowed_and_the_server_has_what_children_need(agent, tmp_path, loop):
    desk = Desk(agent, tmp_path, loop)
    keys = {f"{name}_API_KEY": f"dummy-{name}" for name in ("ANTHROPIC", "GEMINI", "OPENAI")}
    desk.environ = keys | {"ABREAST_DEPTH": "1", "ANTHROPIC_BASE_URL": loop.url} | desk.environ
    move = Call("exec", {"input": "text(await tools.mcp__abreast__delegate({}));"})
    if agent != "codex":
        move = Call(TOOL[agent].format("delegate"), {})
    loop.add(Scenario("hello", (move, Say("Done."))))
    config = desk.connect().changes[0].path
    told = tmp_path / "environment.json"
    probe = Path(__file__).with_name("wire_probe.py")
    text = config.read_text()
    before = json.dumps(str(Path(sys.executable).with_name("abreast")))
    assert before in text
    text = text.replace(before, json.dumps(sys.executable))
    config.write_text(text.replace('"mcp"', f"{json.dumps(str(probe))}, {json.dumps(str(told))}"))
    assert "the probe has answered" in desk.run()
    found = json.loads(told.read_text())
    wanted = ("ABREAST_STATE_DIR", "ABREAST_DEPTH", "ANTHROPIC_BASE_URL", *keys)
    assert {n: found.get(n) for n in wanted} == {n: desk.environ[n] for n in wanted}


def test_every_name_that_a_glob_stands_for_is_one():
    patterns = [p for agent in AGENTS.values() for p in agent.env_patterns]
    globs = [*(p for p in patterns if "*" in p), "LC_*", "XDG_*"]
    named = [*_ORDINARY_NAMES, *(n for agent in AGENTS.values() for n in agent.env_names)]
    assert named
    assert [n for n in named if not any(fnmatchcase(n, p) for p in globs)] == []
    assert [name for name in variables() if "*" in name] == []
