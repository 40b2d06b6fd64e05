"""Where delegations are measured: a scratch home for each real CLI, and one model server for all.

The model server is on this machine and plays scripts; what it states as usage, and what is
reported, is the size of each request as it came over the wire.
"""

import json
import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.clis import PINNED, base_environ, require_cli
from tests.support.deadlines import SECONDS

from abreast.agents import agent_named
from abreast.agents.base import Agent
from abreast.loopback.dialect import RecordedRequest
from abreast.loopback.server import Loopback
from abreast.places import Places
from abreast.process.files import materialise
from abreast.process.tree import MARKER, sweep
from benchmarks.ground import git
from benchmarks.installation import end_worker

FILES, FILE_SIZE = 8, 20_000
_TOKEN = 4  # characters; the measure of every size here


@dataclass(frozen=True)
class Desk:
    """One CLI at a repository, its user's settings and the abreast that it delegates to."""

    agent: Agent
    server: Loopback
    repo: Path
    environ: Mapping[str, str]
    places: Places

    @property
    def program(self) -> str:
        found = self.agent.find(self.environ)
        if found is None:
            raise RuntimeError(f"{self.agent.name} is missing: `make bench` installs it")
        return str(found.path)

    def run(self, argv: Sequence[str], stdin: str = "") -> None:
        """Run the CLI to its end in the repository; raises RuntimeError when it fails."""
        marker = uuid.uuid4().hex
        try:
            done = subprocess.run(
                argv,
                cwd=self.repo,
                env={**self.environ, MARKER: marker},
                input=stdin,
                capture_output=True,
                text=True,
                timeout=SECONDS,
                check=False,
            )
        finally:
            sweep(marker)
        if done.returncode:
            said = f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
            raise RuntimeError(f"{list(argv)[:3]}: {done.returncode}\n{said}")

    def turns(self, scenario: str) -> list[RecordedRequest]:
        """The model's turns in this scenario so far."""
        return [r for r in self.server.requests if r.scenario == scenario]

    @contextmanager
    def lived_in(self) -> Iterator[None]:
        """Make our environment that of the CLI's user: what we delegate, their abreast does."""
        ours = dict(os.environ)
        os.environ.clear()
        os.environ.update(self.environ)
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(ours)


def size(request: RecordedRequest) -> int:
    """Tokens of a request: the characters of its whole body over four."""
    return len(json.dumps(request.body, ensure_ascii=False)) // _TOKEN


@contextmanager
def desks(ground: Path) -> Iterator[dict[str, Desk]]:
    """Yield a desk for each CLI, by its name; they share repository, model server and abreast.

    They are on a disk when `ground` is in /dev, which Codex's sandbox hides.
    """
    folder = "/var/tmp" if hidden(ground) else ground
    place = Path(tempfile.mkdtemp(prefix="abreast-bench-", dir=folder)).resolve()
    places = Places(place / "state", f"sqlite:///{place / 'state' / 'abreast.db'}")
    try:
        repo = _repository(place / "repo")
        with Loopback(measured=True) as server:
            yield {
                name: Desk(agent_named(name), server, repo, environ, places)
                for name in PINNED
                for environ in [_environ(name, server, place, places)]
            }
    finally:
        end_worker(places)
        shutil.rmtree(place, ignore_errors=True)


def hidden(ground: Path) -> bool:
    """Tell whether Codex's sandbox hides this folder from its commands."""
    return ground.is_relative_to("/dev")


def _environ(name: str, server: Loopback, place: Path, places: Places) -> dict[str, str]:
    """Return the environment of the CLI's user, and write the settings that they have."""
    require_cli(name)
    home, scratch = place / name / "home", place / name / "tmp"
    redirect = agent_named(name).redirect(server.url, home)
    files = dict(redirect.files)
    if name == "gemini":
        # As after the first start at a terminal: the way to log in chosen, the folder trusted.
        files[home / ".gemini/settings.json"] = json.dumps(
            {
                "security": {"auth": {"selectedType": "gemini-api-key"}},
                "privacy": {"usageStatisticsEnabled": False},
            }
        )
        trusted = {str(place / "repo"): "TRUST_FOLDER"}
        files[home / ".gemini/trustedFolders.json"] = json.dumps(trusted)
    materialise(files, {})
    scratch.mkdir(parents=True)
    return {
        **base_environ(home),
        **server.fence,
        **redirect.env,
        "TMPDIR": str(scratch),
        "ABREAST_STATE_DIR": str(places.state),
        "ABREAST_DB": places.database,
        "ABREAST_IDLE_EXIT": "600",
    }


def paths() -> list[str]:
    """The files to be read."""
    return [f"src/part{number}.txt" for number in range(1, FILES + 1)]


def _repository(path: Path) -> Path:
    """Make a repository with 40,000 tokens to read, in lines of a hundred characters."""
    for number, name in enumerate(paths(), 1):
        lines = [_line(number, at) for at in range(FILE_SIZE // 100)]
        materialise({path / name: "".join(lines)}, {})
    git(path, "init", "-q", "-b", "main")
    git(path, "add", "-A")
    git(path, "-c", "user.name=Ada", "-c", "user.email=ada@example.com", "commit", "-qm", "start")
    return path


def _line(number: int, at: int) -> str:
    text = (
        f"part {number}, entry {at:04}: the reader of this file is to find out what it says and why"
    )
    return text.ljust(99, ".") + "\n"
