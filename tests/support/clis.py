"""The pinned agent CLIs of tests/clis, run with a scrubbed environment against the loopback."""

import os
import shutil
import signal
import subprocess
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from abreast.agents.base import Agent, Command, Installed, Launch, StreamReader
from abreast.model.events import Event, EventKind, Verdict
from abreast.model.task import AgentChoice
from abreast.process.environment import allow
from abreast.process.files import materialise
from abreast.process.tree import MARKER, sweep
from tests.support.deadlines import SECONDS

CLIS = Path(__file__).parents[1] / "clis"
BIN = CLIS / "node_modules" / ".bin"
OLDEST = CLIS / "oldest" / "node_modules" / ".bin"
PINNED = ("claude", "codex", "gemini")


def require_cli(name: str, folder: Path = BIN) -> Path:
    """The pinned CLI, the newest or the oldest; there is no other that a test may run."""
    path = folder / name
    if not path.exists() or shutil.which("node") is None:
        pytest.fail(f"{path} or node is missing: run the tests by `make test`, which installs it")
    return path


def base_environ(home: Path, clis: Path = BIN) -> dict[str, str]:
    """A whole environment without anything of the developer's in it."""
    needed = (shutil.which(program) for program in ("node", "git"))
    folders = [*_pinned_node(), str(clis), *(str(Path(found).parent) for found in needed if found)]
    folders += ["/usr/bin", "/bin"]
    return {
        "PATH": ":".join(dict.fromkeys(folders)),
        "HOME": str(home),
        "TERM": "dumb",
        "LANG": "C.UTF-8",
        "USER": "ada",
        "GIT_CONFIG_NOSYSTEM": "1",
        # Else Claude Code goes on without a server that takes 5 s to start on a busy machine.
        "MCP_CONNECT_TIMEOUT_MS": str(int(1000 * SECONDS)),
    }


def _pinned_node() -> list[str]:
    """The folder of a `node` that keeps what it has compiled, where `npm ci` brought one.

    Of the 1.6 s that a session of Gemini CLI takes, a third of a second is compiling itself, and a
    tenth is collecting garbage from a young generation that begins small. It comes before the CLIs:
    npm puts that Node.js among them as well.
    """
    found = sorted(CLIS.glob("node_modules/node-*/bin/node"))
    root = os.environ.get("PYTEST_DEBUG_TEMPROOT")
    if not found or root is None:
        return []
    folder = Path(root) / "node"
    program = folder / "node"
    if not program.exists():
        folder.mkdir(exist_ok=True)
        # Not a variable of ours: of those, few reach an agent.
        run = f'"{found[0]}" --min-semi-space-size=32 --max-semi-space-size=64 "$@"'
        text = f'#!/bin/sh\nNODE_COMPILE_CACHE="{folder}/compiled" exec {run}\n'
        ours = program.with_name(f"node.{os.getpid()}")
        ours.write_text(text)
        ours.chmod(0o755)
        ours.replace(program)  # other processes of this run look for it too
    return [str(folder)]


def cli_environ(
    agent: Agent, url: str, home: Path, *, trap: bool = True, clis: Path = BIN
) -> dict[str, str]:
    """What a user of `agent` would have in a shell that points it at the loopback server.

    Writes the settings that takes into `home`. With `trap`, whatever else the CLI wants to reach
    goes to the server as well, which refuses it and lists it in `Loopback.egress`.
    """
    if agent.name in PINNED:
        require_cli(agent.name, clis)
    home.mkdir(parents=True, exist_ok=True)
    redirect = agent.redirect(url, home)
    materialise(redirect.files, {})
    environ = {**base_environ(home, clis), **redirect.env}
    if trap:
        environ |= dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), url)
        environ |= dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1")
    return environ


def make_launch(
    agent: Agent, environ: Mapping[str, str], directory: Path, worktree: Path, **more: Any
) -> Launch:
    """A fresh session of `agent` in `worktree` (a git checkout), as the engine would start it.

    Only what the allow-list and the agent's own patterns let through of `environ` reaches it.
    """
    installed = agent.find(environ)
    if installed is None:
        pytest.fail(f"{agent.name} is not on PATH: run the tests by `make test`")
    if agent.name in PINNED:
        pinned = {folder.parent.resolve() for folder in (BIN, OLDEST)}
        assert pinned & set(installed.path.resolve().parents), (
            f"{installed.path} is not the pinned {agent.name}"
        )
    directory.mkdir(parents=True, exist_ok=True)
    defaults: dict[str, Any] = {
        "choice": AgentChoice(agent.name),
        "cli_session": str(uuid.uuid4()),
        "git_dir": _git_path(worktree, "--git-dir"),
        "common_dir": _git_path(worktree, "--git-common-dir"),
    }
    return Launch(
        installed=Installed(installed.path, installed.version),
        directory=directory,
        worktree=worktree,
        environ=allow(environ, *agent.env_patterns),
        **{**defaults, **more},
    )


@dataclass(frozen=True)
class Ran:
    """One process of an agent, to its end. `code` is -9 when the deadline ended it."""

    command: Command
    verdict: Verdict
    events: list[Event]
    code: int
    stderr: str
    lines: list[bytes] = field(repr=False)
    reader: StreamReader = field(repr=False)
    late: bool = False

    def of(self, kind: EventKind) -> list[Event]:
        return [event for event in self.events if event.kind is kind]


def run_cli(agent: Agent, launch: Launch, *, deadline: float = SECONDS) -> Ran:
    """Run the headless command of `agent` to its end, or kill it after `deadline` seconds."""
    return run_command(agent, agent.headless(launch), launch, deadline=deadline)


def run_command(
    agent: Agent, command: Command, launch: Launch, *, deadline: float = SECONDS
) -> Ran:
    """Run `command` as the runner does: files and links first, then the process, then its end."""
    materialise(command.files, command.links)
    marker = uuid.uuid4().hex
    given, said = launch.directory / "stdin", launch.directory / "stderr"
    given.write_text(command.stdin, encoding="utf-8")
    reader = agent.reader()
    events: list[Event] = []
    lines: list[bytes] = []
    with given.open("rb") as stdin, said.open("wb") as stderr:
        process = subprocess.Popen(
            command.argv,
            cwd=launch.worktree,
            env={**command.env, MARKER: marker},
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=stderr,
            start_new_session=True,
        )

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            events.extend(reader.feed(line))

    pump = threading.Thread(target=read, daemon=True)
    pump.start()
    late = _end(process, marker, deadline)
    pump.join(SECONDS)
    assert not pump.is_alive(), "a descendant without our marker holds standard output open"
    assert process.stdout is not None
    process.stdout.close()
    errors = said.read_text(encoding="utf-8", errors="replace")
    verdict = reader.verdict(process.returncode, errors[-20_000:])
    return Ran(command, verdict, events, process.returncode, errors, lines, reader, late)


def _end(process: subprocess.Popen[bytes], marker: str, deadline: float) -> bool:
    late = False
    try:
        process.wait(deadline)
    except subprocess.TimeoutExpired:
        late = True
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()  # before the sweep, which would collect it and its exit code
    finally:
        sweep(marker)
        process.wait()
    return late


def _git_path(worktree: Path, which: str) -> Path:
    done = subprocess.run(
        ["git", "rev-parse", "--path-format=absolute", which],
        cwd=worktree,
        capture_output=True,
        text=True,
        check=True,
    )
    return Path(done.stdout.strip())
