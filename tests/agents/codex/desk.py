"""Where the real Codex CLI is tried out: a worktree, a home and a model server of its own."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from abreast.agents.base import Launch
from abreast.agents.codex.agent import AGENT
from abreast.loopback.dialect import RecordedRequest
from abreast.loopback.server import Loopback
from abreast.model.moves import Move, Scenario
from tests.support.clis import Ran, cli_environ, make_launch, run_cli
from tests.support.repos import Repo, make_repo

OLDER = "gpt-5.5"  # its tools are plain calls
NEWER = "gpt-6.1-sol"  # calls its tools from JavaScript
both_models = pytest.mark.parametrize("model", [OLDER, NEWER])


@dataclass
class Desk:
    """A linked worktree, a scratch home and a loopback server.

    They lie neither in /dev, which Codex's sandbox hides, nor in /tmp, where it lets anyone write.
    """

    server: Loopback
    repo: Repo
    tree: Path
    home: Path
    root: Path
    monkeypatch: pytest.MonkeyPatch
    expected_egress: set[str] = field(default_factory=set)

    def launch(self, prompt: str, *, url: str = "", config: str = "", **more: Any) -> Launch:
        """Make a session ready; `config` is added to the user's config.toml."""
        environ = cli_environ(AGENT, url or self.server.url, self.home)
        with (self.home / ".codex/config.toml").open("a") as file:
            file.write(config)
        # The reader looks for the record where its own environment says: a runner's is Codex's.
        self.monkeypatch.setenv("CODEX_HOME", environ["CODEX_HOME"])
        environ |= more.pop("environ", {})
        return make_launch(AGENT, environ, self.root / "session", self.tree, prompt=prompt, **more)

    def run(self, prompt: str, *moves: Move, **more: Any) -> Ran:
        if moves:
            self.server.add(Scenario(prompt, moves))
        return run_cli(AGENT, self.launch(prompt, **more))

    def turns(self) -> list[RecordedRequest]:
        """The requests of scripted sessions; Codex asks more of its own (memory consolidation)."""
        return [r for r in self.server.requests if r.step is not None]

    def told(self) -> list[str]:
        """What the model was told that its tools returned, as JSON."""
        items = self.turns()[-1].body["input"]
        return [json.dumps(i["output"]) for i in items if i["type"].endswith("_output")]


@contextmanager
def open_desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """Make a desk; at the end it has to have kept to this machine."""
    with (
        tempfile.TemporaryDirectory(prefix="abreast-", dir="/var/tmp") as folder,
        Loopback() as server,
    ):
        root = Path(folder).resolve()
        repo = make_repo(root / "repo")
        repo.git("worktree", "add", "-q", str(root / "tree"), "-b", "work")
        desk = Desk(server, repo, root / "tree", root / "home", root, monkeypatch)
        yield desk
        assert not set(server.egress) - desk.expected_egress, "it wanted to reach another host"


def server(name: str, mark: Path) -> str:
    """Settings with an MCP server that makes the file `mark` when it starts."""
    args = json.dumps(["-c", f"touch {mark}; cat"])
    return f'\n[mcp_servers."{name}"]\ncommand = "/bin/sh"\nargs = {args}\n'
