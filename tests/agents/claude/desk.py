"""Where the real Claude Code is tried out: a worktree, a home and a model server of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from abreast.agents.base import Launch
from abreast.agents.claude.agent import AGENT
from abreast.loopback.server import Loopback
from abreast.model.moves import Move, Scenario
from tests.support.clis import Ran, cli_environ, make_launch, run_cli
from tests.support.repos import Repo


@dataclass
class Desk:
    """One worktree of a real repository, one scratch home, one loopback server."""

    server: Loopback
    repo: Repo
    tree: Path
    home: Path
    root: Path

    def launch(self, prompt: str, *moves: Move, url: str = "", **more: Any) -> Launch:
        """Make a session ready, in which a model makes these moves."""
        if moves:
            self.server.add(Scenario(prompt, moves))
        environ = cli_environ(AGENT, url or self.server.url, self.home)
        environ |= {"ABREAST_RETRIES": "1", **more.pop("environ", {})}
        return make_launch(AGENT, environ, self.root / "session", self.tree, prompt=prompt, **more)

    def run(self, prompt: str, *moves: Move, **more: Any) -> Ran:
        return run_cli(AGENT, self.launch(prompt, *moves, **more))

    def turns(self) -> list[dict[str, Any]]:
        return [dict(r.body) for r in self.server.requests if r.path == "/v1/messages"]


@contextmanager
def open_desk(repo: Repo, root: Path) -> Iterator[Desk]:
    """Make a desk; at the end it has to have kept to this machine."""
    tree = root / "tree"
    repo.git("worktree", "add", "-q", str(tree), "-b", "work")
    with Loopback() as server:
        yield Desk(server, repo, tree, root / "cli-home", root)
        assert server.egress == [], "it wanted to reach another host"
