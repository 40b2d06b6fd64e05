"""A developer at work: a HOME with logins in it, one real agent CLI, a repository, an abreast.

The repository brings briefings, and traps: hooks, MCP servers and settings for each CLI that leave
a mark when one of them takes effect. `rigged` checks at its end that none did, that the CLI wanted
no other host, and that nothing is left running.
"""

import json
import os
import shutil
import tempfile
from collections import ChainMap
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from abreast.agents import agent_named
from abreast.agents.base import Agent
from abreast.loopback.dialect import RecordedRequest
from abreast.loopback.server import Loopback
from abreast.model.moves import Move, Scenario
from abreast.model.task import AgentChoice, Task
from abreast.places import Places
from tests.support.clis import PINNED, cli_environ
from tests.support.databases import up_to_date_file
from tests.support.repos import FILES, Repo, make_repo
from tests.support.stage import Stage, task
from tests.support.untouched import Marks, marks_of, shared_by

BRIEFINGS = {
    "AGENTS.md": "Agents-canary: tabs, never spaces.\n",
    "CLAUDE.md": "Claude-canary: tests first.\n",
    "GEMINI.md": "Gemini-canary: no new dependencies.\n",
}

every_cli = pytest.mark.parametrize("name", PINNED)
quickest_cli = pytest.mark.parametrize(
    "name", [n if n == "codex" else pytest.param(n, marks=pytest.mark.product) for n in PINNED]
)
"""For what other tests prove of each CLI, part by part; `make soak` runs it with all of them."""


@dataclass(frozen=True)
class Rig:
    agent: Agent
    server: Loopback
    stage: Stage
    repo: Repo
    home: Path
    root: Path
    marks: Path

    def task(self, name: str, *moves: Move, **more: Any) -> Task:
        """A task whose model makes these moves."""
        made = task(name, AgentChoice(self.agent.name), **more)
        if moves:
            self.play(name, *moves, match=made.prompt)
        return made

    def play(self, name: str, *moves: Move, match: str) -> None:
        self.server.add(Scenario(name, moves, match))

    def turns(self, name: str = "") -> list[RecordedRequest]:
        """The requests that a scenario answered, by default any scenario."""
        asked = [r for r in self.server.requests if r.step is not None]
        return [r for r in asked if r.scenario == name or not name]

    def fingerprints(self) -> tuple[Marks, Marks]:
        """What must not change: the user's checkout, and what all checkouts share."""
        shared = shared_by(self.repo.path)
        return marks_of(self.repo.path), shared


def told(request: RecordedRequest) -> str:
    """All that a request says, for counting what occurs in it."""
    return json.dumps(request.body, ensure_ascii=False)


def billed(request: RecordedRequest) -> str:
    """The model that a request asks for; Gemini's is part of the path."""
    return str(request.body.get("model") or request.path.rpartition("/")[2].partition(":")[0])


@contextmanager
def rigged(
    name: str,
    root: Path,
    *,
    url: str = "",
    briefings: bool = True,
    trapped: bool = True,
    wants: Collection[str] = (),
) -> Iterator[Rig]:
    """Make our environment that of a developer who uses the CLI `name`, for a while.

    `url` is another model server than the loopback's; `wants` are other hosts (`host:port`) that
    nothing keeps the CLI from asking for. The folders are in `root`, for Codex in /var/tmp: its
    sandbox hides /dev, and lets anyone write in /tmp.
    """
    agent, database = agent_named(name), up_to_date_file()
    with (
        tempfile.TemporaryDirectory(prefix="abreast-", dir=_place(name, root)) as folder,
        Loopback() as server,
        pytest.MonkeyPatch.context() as patch,
    ):
        top = Path(folder).resolve()
        home, marks, scratch = top / "home", top / "marks", top / "tmp"
        marks.mkdir()
        scratch.mkdir()
        environ = cli_environ(agent, url or server.url, home)
        settings = top / "settings.toml"
        settings.write_text('sandbox = "none"\n')  # whatever this machine has
        own = {"ABREAST_CONFIG": str(settings), "ABREAST_RETRIES": "1", "TMPDIR": str(scratch)}
        _become(patch, environ | own)
        (home / ".gitconfig").write_text("[user]\n\tname = Ada\n\temail = ada@example.com\n")
        files = [FILES, BRIEFINGS if briefings else {}, traps(marks) if trapped else {}]
        repo = make_repo(top / "repo", ChainMap(*files))
        places = Places(top / "state", f"sqlite:///{top / 'state' / 'abreast.db'}").make()
        shutil.copy(database, top / "state" / "abreast.db")
        with Stage(places, repo) as stage:
            yield Rig(agent, server, stage, repo, home, top, marks)
        assert [mark.name for mark in marks.iterdir()] == [], "the repository gave orders"
        assert set(server.egress) <= set(wants), "it wanted to reach another host"
        assert at_work_in(top) == [], "a process is left"


def _place(name: str, root: Path) -> Path:
    return Path("/var/tmp") if name == "codex" else root


def _become(patch: pytest.MonkeyPatch, environ: dict[str, str]) -> None:
    for name in [n for n in os.environ if not n.startswith("PYTEST")]:
        patch.delenv(name)
    for name, value in environ.items():
        patch.setenv(name, value)


def at_work_in(folder: Path) -> list[str]:
    """The processes whose current folder is in `folder`."""
    found = []
    for process in psutil.process_iter():
        try:
            if Path(process.cwd()).is_relative_to(folder):
                found.append(f"{process.pid}: {process.cmdline()[:3]}")
        except (psutil.Error, OSError):
            continue
    return found


def traps(marks: Path) -> dict[str, str]:
    """Files of a repository that would make each CLI run something; each leaves a mark."""

    def run(name: str) -> dict[str, str]:
        return {"type": "command", "command": f"touch {marks / name}"}

    def server(name: str) -> dict[str, Any]:
        return {"command": "/bin/sh", "args": ["-c", f"touch {marks / name}; cat"]}

    claude = {"hooks": {"SessionStart": [{"hooks": [run("claude-hook")]}]}}
    codex = {"hooks": {"UserPromptSubmit": [{"hooks": [run("codex-hook")]}]}}
    gemini = {
        "hooks": {"SessionStart": [{"hooks": [run("gemini-hook")]}]},
        "mcpServers": {"theirs": server("gemini-server")},
    }
    command = json.dumps(f"touch {marks / 'codex-server'}; cat")
    return {
        ".claude/settings.json": json.dumps(claude),
        ".mcp.json": json.dumps({"mcpServers": {"theirs": server("claude-server")}}),
        ".codex/config.toml": f'[mcp_servers.theirs]\ncommand = "sh"\nargs = ["-c", {command}]\n',
        ".codex/hooks.json": json.dumps(codex),
        ".gemini/settings.json": json.dumps(gemini),
    }
