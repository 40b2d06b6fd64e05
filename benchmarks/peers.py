"""Two other tools that make worktrees for agents, installed for the occasion into our own ground.

Nothing of theirs touches the project or the user's files, and the `claude` that one of them starts
at the end is a script that does nothing.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.support.deadlines import SECONDS

from benchmarks.ground import git
from benchmarks.measure import Cost, metered
from benchmarks.report import say

AO = "@composio/ao-plugin-workspace-worktree@0.2.0"
CLAUDE_WT = "claude-wt==0.2.0"


class MissingPeerError(Exception):
    """A peer cannot be installed or driven here; the message says why."""


@dataclass(frozen=True)
class Made:
    """What making some worktrees has cost, and how many of them have failed."""

    cost: Cost
    failed: int


def clone_for_peers(repo: Path, folder: Path) -> Path:
    """Return a clone with an origin on this machine, which both peers fetch from each time."""
    origin, clone = folder / "origin.git", folder / "clone"
    git(folder, "clone", "-q", "--bare", str(repo), str(origin))
    git(folder, "clone", "-q", str(origin), str(clone))
    return clone


class Ao:
    """Agent Orchestrator's worktree plugin: a library for Node, so its start is not counted."""

    title = "@composio/ao-plugin-workspace-worktree 0.2.0 (in a running node)"

    def __init__(self, folder: Path) -> None:
        npm = _need("npm")
        folder.mkdir()
        _need("node")
        quiet = ("--no-audit", "--no-fund", "--loglevel=error", "--ignore-scripts")
        _install([npm, "install", "--prefix", str(folder), *quiet, AO])
        self._driver = folder / "drive.mjs"
        self._driver.write_text(_DRIVER)

    def make(self, clone: Path, names: list[str], *, at_once: bool) -> Made:
        argv = ["node", str(self._driver), str(clone), str(clone.parent / "ao"), str(at_once)]
        with metered(own=False) as cost:
            done = _run([*argv, *names], cwd=clone)
        if done.returncode:
            raise MissingPeerError(done.stderr.strip()[-300:])
        told = json.loads(done.stdout)
        return Made(Cost(told["seconds"], cost().cpu), told["failed"])


_DRIVER = """\
import { create } from "@composio/ao-plugin-workspace-worktree";
const [repo, folder, atOnce, ...names] = process.argv.slice(2);
const plugin = create({ worktreeDir: folder });
let failed = 0;
async function make(name) {
  try {
    await plugin.create({ projectId: "bench", sessionId: name, branch: `ao/${name}`,
                          project: { path: repo, defaultBranch: "main" } });
  } catch { failed += 1; }
}
const began = performance.now();
if (atOnce === "True") await Promise.all(names.map(make));
else for (const name of names) await make(name);
console.log(JSON.stringify({ seconds: (performance.now() - began) / 1000, failed }));
"""


class ClaudeWt:
    """claude-wt: a command that makes a worktree and starts Claude Code in it (here: nothing)."""

    title = "claude-wt 0.2.0 (a process each)"

    def __init__(self, folder: Path) -> None:
        python = _new_python(folder)
        uv = shutil.which("uv") or str(Path(__file__).parent.parent / ".tools/bin/uv")
        if Path(uv).exists():
            _install([uv, "pip", "install", "-q", "--python", str(python), CLAUDE_WT])
        else:
            _install([str(python), "-m", "ensurepip"])
            _install([str(python), "-m", "pip", "install", "-q", CLAUDE_WT])
        self._command = str(python.with_name("claude-wt"))
        _install([self._command, "--help"])  # so that its bytecode is there
        fake = folder / "fake"
        fake.mkdir()
        (fake / "claude").write_text("#!/bin/sh\nexit 0\n")
        (fake / "claude").chmod(0o755)
        self._env = os.environ | {"PATH": f"{fake}:{os.environ['PATH']}"}

    def make(self, clone: Path, names: list[str], *, at_once: bool) -> Made:
        argvs = [[self._command, "new", "--name", name, "hello"] for name in names]
        with (
            ThreadPoolExecutor(len(names) if at_once else 1) as pool,
            metered(own=False) as cost,
        ):
            done = list(pool.map(lambda argv: _run(argv, cwd=clone, env=self._env), argvs))
        folder = clone / ".claude-wt/worktrees"
        whole = [(folder / f"claude-wt-{name}/.gitignore").exists() for name in names]
        good = [end.returncode == 0 and made for end, made in zip(done, whole, strict=True)]
        return Made(cost(), good.count(False))


Peer = Ao | ClaudeWt


def install_peers(folder: Path) -> tuple[list[Peer], list[str]]:
    """Return the peers that can be driven here, and why the others cannot."""
    peers: list[Peer] = []
    notes: list[str] = []
    kinds: tuple[type[Peer], ...] = (Ao, ClaudeWt)
    for number, kind in enumerate(kinds):
        say(f"worktrees: installing {kind.title}")
        try:
            peers.append(kind(folder / f"peer-{number}"))
        except (MissingPeerError, OSError, subprocess.TimeoutExpired) as error:
            notes.append(f"{kind.title} is missing: {error}")
            say(notes[-1])
    return peers, notes


def _need(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        raise MissingPeerError(f"there is no {program} here")
    return found


def _install(argv: list[str]) -> None:
    # Installers keep a cache below HOME, which here is ours.
    done = _run(argv, cwd=Path.home())
    if done.returncode:
        raise MissingPeerError(f"{Path(argv[0]).name}: {done.stderr.strip()[-300:]}")


def _run(
    argv: list[str], *, cwd: Path, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        argv,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )


def _new_python(folder: Path) -> Path:
    """Make a virtual environment of Python 3.12 or newer, which claude-wt needs."""
    for python in _pythons():
        asked = [python, "-c", "import sys; sys.exit(sys.version_info < (3, 12))"]
        if _run(asked, cwd=Path.home()).returncode == 0:
            _install([python, "-m", "venv", "--without-pip", str(folder)])
            return folder / "bin/python"
    raise MissingPeerError("it needs Python 3.12 or newer, and there is none")


def _pythons() -> Iterator[str]:
    yield sys.executable
    names = [f"python3.{minor}" for minor in (13, 12, 14)]
    yield from (found for name in names if (found := shutil.which(name)))
    user = Path(os.environ.get("PYENV_ROOT") or Path("~" + _login()).expanduser() / ".pyenv")
    yield from (str(found) for found in sorted(user.glob("versions/3.1[2-9]*/bin/python")))


def _login() -> str:
    import pwd

    return pwd.getpwuid(os.getuid()).pw_name
