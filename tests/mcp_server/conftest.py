"""A developer with all three CLIs, each with abreast's tools, in front of one model server."""

import contextlib
import json
import subprocess
import tempfile
import threading
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from abreast import api
from abreast.agents import agent_named, connectable
from abreast.engine.common.worker_process import find_worker
from abreast.loopback.dialect import RecordedRequest
from abreast.loopback.server import Loopback
from abreast.model.moves import Call, Move, Say, Scenario
from abreast.model.task import Deliverable
from abreast.places import Places
from abreast.process.files import load_json, materialise
from abreast.process.tree import MARKER, marked, sweep
from tests.support.clis import base_environ, require_cli
from tests.support.deadlines import SECONDS
from tests.support.left import processes_of
from tests.support.repos import make_repo

TOOL = {
    "claude": "mcp__abreast__{}",
    "codex": "mcp__abreast/{}",
    "gemini": "mcp_abreast_{}",
}
_TRUSTED = {
    "security": {"auth": {"selectedType": "gemini-api-key"}},
    "privacy": {"usageStatisticsEnabled": False},
}


@dataclass(frozen=True)
class Room:
    server: Loopback
    repo: Path
    environ: Mapping[str, str]
    places: Places

    def parent(self, agent: str, mark: str, *moves: Move, wait: str = "") -> list[RecordedRequest]:
        """Run a headless session of this CLI, as its user would, whose model makes these moves.

        Returns its model requests.
        """
        search = Call("tool_search", {"query": "abreast delegate child agent", "limit": 8})
        known = (search,) if agent == "codex" else ()
        self.server.add(Scenario(mark, (*known, *moves, Say("That is all."))))
        more = {"ABREAST_MCP_WAIT": wait} if wait else {}
        done = self._run(agent, f"Find it out. {mark}", more)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        return [r for r in self.server.requests if r.scenario == mark]

    def _run(
        self, agent: str, prompt: str, more: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        program = str(require_cli(agent))
        argv = {
            "claude": [program, "-p", prompt, "--allowedTools", "mcp__abreast"],
            "codex": [program, "exec", "--json", prompt],
            "gemini": [program, "-p", prompt, "-m", "flash"],
        }[agent]
        marker = uuid.uuid4().hex
        try:
            return subprocess.run(
                argv,
                cwd=self.repo,
                env={**self.environ, **more, MARKER: marker},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=SECONDS,
                check=False,
            )
        finally:
            sweep(marker)

    def delivered(self) -> dict[str, Deliverable]:
        """Every deliverable so far, by the question that it answers."""
        runs = api.runs(limit=100, places=self.places)
        found = [d for run in runs for d in api.collect(run.id, places=self.places)]
        return {api.find_session(d.id, places=self.places).produces: d for d in found}

    def kill(self, question: str, given_up: threading.Event) -> None:
        """Kill the child that is asked this, once it is at work."""
        while not given_up.wait(0.05):
            for run in api.runs(limit=100, places=self.places):
                for session in run.sessions:
                    job = Path(session.directory) / "agent" / "job.json"
                    asked = session.produces == question and session.directory
                    raw = load_json(job) if asked else None
                    if raw and self._asked(question):
                        for process in marked(raw["marker"]):
                            with contextlib.suppress(psutil.NoSuchProcess):  # it has just ended
                                if "abreast.runner" not in " ".join(process.cmdline()):
                                    process.kill()
                        return

    def _asked(self, question: str) -> bool:
        return any(r.scenario == question for r in self.server.requests)


@pytest.fixture(scope="module")
def room() -> Iterator[Room]:
    # In /var/tmp: Codex's sandbox hides /dev, and lets anyone write in /tmp.
    with (
        tempfile.TemporaryDirectory(prefix="abreast-", dir="/var/tmp") as folder,
        Loopback(measured=True) as server,
    ):
        top = Path(folder).resolve()
        home = top / "home"
        environ = base_environ(home)
        home.mkdir()
        for name in connectable():
            require_cli(name)
            redirect = agent_named(name).redirect(server.url, home)
            materialise(redirect.files, {})
            environ |= redirect.env
        environ |= server.fence
        environ |= {"GEMINI_CLI_TRUST_WORKSPACE": "true", "ABREAST_RETRIES": "1"}
        environ["GEMINI_CLI_NO_RELAUNCH"] = "true"  # with more memory, which nothing here needs
        materialise({home / ".gemini/settings.json": json.dumps(_TRUSTED)}, {})
        (home / ".gitconfig").write_text("[user]\n\tname = Ada\n\temail = ada@example.com\n")
        state = top / "state"
        environ["ABREAST_STATE_DIR"] = str(state)
        repo = make_repo(top / "repo").path
        places = Places(state, f"sqlite:///{state / 'abreast.db'}")
        for name in connectable():
            api.connect(name, repo=repo, environ=environ, places=places)
        try:
            yield Room(server, repo, environ, places)
        finally:
            _end(places)
        assert processes_of(str(state)) == [], "processes are left"
        assert server.egress == [], "somebody wanted to reach another host"


def _end(places: Places) -> None:
    for run in api.runs(limit=100, places=places):
        if not run.state.final:
            api.stop(run.id, places=places)
    identity = find_worker(places)
    process = identity.find() if identity else None
    if process is not None:
        process.terminate()
        process.wait(SECONDS)
