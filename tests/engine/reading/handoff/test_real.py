"""Sessions of the real CLIs, started by hand: what they leave when they end, and when killed."""

import json
import os
import signal
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from abreast import api
from abreast.agents import agent_named
from abreast.handoff.page import read_header, sections
from abreast.loopback.server import Loopback
from abreast.model.handoff import Handoff
from abreast.model.moves import Call, HttpError, Move, Say, Scenario, Shell, Write
from abreast.places import Places
from abreast.process.tree import MARKER, sweep
from tests.support.clis import cli_environ, require_cli
from tests.support.deadlines import SECONDS, eventually
from tests.support.repos import Repo, make_repo
from tests.support.rig import every_cli, quickest_cli, rigged

pytestmark = pytest.mark.clis

_PROMPT = "Fix the greeting."
_GEMINI = {
    "security": {"auth": {"selectedType": "gemini-api-key"}},
    "general": {"maxAttempts": 1, "retryFetchErrors": False},
    "privacy": {"usageStatisticsEnabled": False},
}
_WORK = (
    Write("notes.txt", "one\n"),
    Shell("echo first && exit 3"),
    Shell("test -e notes.txt"),
)


@dataclass(frozen=True)
class Desk:
    """A developer with one CLI and a repository, and no abreast running."""

    name: str
    repo: Repo
    environ: dict[str, str]
    places: Places
    server: Loopback
    marker: str

    def start(self, *moves: Move) -> subprocess.Popen[bytes]:
        self.server.add(Scenario("fix", moves, _PROMPT))
        program = str(require_cli(self.name))
        argv = {
            "claude": [program, "-p", _PROMPT, "--allowedTools", "Bash,Write,Edit,Read"],
            "codex": [program, "exec", "-s", "workspace-write", _PROMPT],
            "gemini": [program, "--skip-trust", "-y", "-m", "flash", "-p", _PROMPT],
        }[self.name]
        return subprocess.Popen(
            argv,
            cwd=self.repo.path,
            env=self.environ | {MARKER: self.marker},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def hook(self, *, remove: bool = False) -> bool:
        done = api.hook_handoff(self.name, remove=remove, environ=self.environ, places=self.places)
        return done.applied

    def handoff(self) -> Handoff:
        return api.handoff(folder=self.repo.path, environ=self.environ, places=self.places)

    @property
    def left(self) -> str:
        """What the hook has left."""
        return self.places.handoff_of(self.repo.path).read_text()


@contextmanager
def at_desk(name: str) -> Iterator[Desk]:
    agent, marker = agent_named(name), uuid.uuid4().hex
    # Where Codex's sandbox lets it write; it hides /dev.
    with tempfile.TemporaryDirectory(prefix="abreast-", dir="/var/tmp") as folder:
        top = Path(folder).resolve()
        with Loopback() as server:
            environ = cli_environ(agent, server.url, top / "home")
            environ |= {"ABREAST_STATE_DIR": str(top / "state"), "CLAUDE_CODE_MAX_RETRIES": "0"}
            if name == "gemini":
                settings = top / "home/.gemini/settings.json"
                settings.parent.mkdir(exist_ok=True)
                settings.write_text(json.dumps(_GEMINI))
            repo = make_repo(top / "repo")
            places = Places(top / "state", f"sqlite:///{top / 'state' / 'abreast.db'}")
            try:
                yield Desk(name, repo, environ, places, server, marker)
            finally:
                sweep(marker)
            assert server.egress == []


@every_cli
def test_its_hook_leaves_one_when_a_session_ends(name: str) -> None:
    with at_desk(name) as desk:
        assert desk.hook()
        process = desk.start(*_WORK, Say("It is fixed.\n\nShall I commit it?"))
        assert process.wait(SECONDS) == 0
        text = desk.left
        header = read_header(text)
        assert header is not None
        assert (header.agent, header.branch) == (name, "main")
        assert header.commit == desk.repo.git("rev-parse", "HEAD")[:12]
        parts = sections(text)
        assert parts["Why"] == [f"- {_PROMPT}"]
        assert parts["Next step"][0] == "- Answer the agent: Shall I commit it?"
        assert "- Last failing command: `echo first && exit 3` (exit 3): first" in text
        assert "- Last passing command: `test -e notes.txt` (exit 0)" in text
        assert "`notes.txt`" in text
        assert "not by an edit on record" not in text
        assert desk.repo.git("status", "--porcelain") == "?? notes.txt"
        assert not api.check_handoff(folder=desk.repo.path, places=desk.places).stale
        assert desk.handoff().header.session == header.session
        assert desk.hook(remove=True)


@every_cli
def test_its_hook_leaves_one_when_a_quota_stops_it(name: str) -> None:
    with at_desk(name) as desk:
        desk.hook()
        process = desk.start(*_WORK[:2], HttpError(429, "no more", code="quota"))
        eventually(lambda: process.poll() is not None, "it gives up")
        text = desk.left
        assert sections(text)["Right now"][0].startswith("Stopped: ")
        assert "Make `echo first && exit 3` pass (exit 3): first" in text


@every_cli
def test_a_session_that_was_killed(name: str) -> None:
    with at_desk(name) as desk:
        process = desk.start(*_WORK, Shell("touch begun && sleep 600"), Say("never said"))
        eventually((desk.repo.path / "begun").exists, "the last command runs")
        # A record may be behind what happens.
        word = "did not return" if name == "gemini" else "touch begun"
        eventually(lambda: word in desk.handoff().right_now, "that is on record")
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        sweep(desk.marker)
        found = desk.handoff()
        assert "- Last failing command: `echo first && exit 3` (exit 3): first" in found.text
        assert "`notes.txt`" in found.text
        assert "never said" not in found.text
        if name == "gemini":  # the record has a call only once it has returned
            assert found.right_now.startswith("Stopped: a tool call did not return.")
        else:
            start = "Its record ends in the middle of `touch begun && sleep 600`: killed"
            assert found.right_now.startswith(start)
            left = "Look at what `touch begun && sleep 600` has left, then run it again"
            assert found.next_step[0] == left


# What is read in the record of each CLI is that of the first test, which has the same moves.
@quickest_cli
def test_a_session_of_our_own_tells_what_its_agent_did(name: str, tmp_path: Path) -> None:
    with rigged(name, tmp_path) as rig:
        moves = (*_WORK, Say("Half of it is there."))
        run = rig.stage.run(rig.task("half", *moves, verify="echo '2 failed'; exit 1"))
        [session] = run.sessions
        text = (rig.stage.directory(session.id) / "handoff.md").read_text()
        header = read_header(text)
        assert header is not None
        assert (header.of, header.session) == (session.id, session.cli_session)
        assert "- Make `echo '2 failed'; exit 1` pass (exit 1): 2 failed" in text
        assert "- Last failing command: `echo first && exit 3` (exit 3): first" in text
        assert "- Last passing command: `test -e notes.txt` (exit 0)" in text
        assert "`notes.txt`" in text
        assert "not by an edit on record" not in text
        assert 'Its last words: "Half of it is there."' in text


def test_an_agent_may_reword_it(tmp_path: Path) -> None:
    good = (
        "## Right now\nThe agent waits; `false` failed.\n\n## Why\nTo greet.\n\n"
        "## Next step\nAnswer: shall I?\n\n## Context when I return\n- `false` (exit 1)"
    )
    with rigged("claude", tmp_path) as rig:
        folder = rig.home / ".claude/projects/here"
        folder.mkdir(parents=True)
        (folder / "00000000-0000-4000-8000-000000000000.jsonl").write_text(_session(rig.repo.path))
        rig.play("it", Call("StructuredOutput", {"text": good}), Say("Done."), match="a handoff")
        found = api.handoff(
            folder=rig.repo.path, places=rig.stage.places, polish="claude", environ=os.environ
        )
        assert found.notes == ("worded by claude; its facts are those of the draft",)
        assert "The agent waits; `false` failed." in found.text


def _session(cwd: Path) -> str:
    """A transcript of Claude Code in which a command failed and a question was asked."""
    more = {"sessionId": "00000000-0000-4000-8000-000000000000", "cwd": str(cwd)}
    more |= {"timestamp": "2026-11-22T19:29:24.000Z", "version": "2.1.330", "gitBranch": "main"}
    call = {"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": "false"}}
    back = {"type": "tool_result", "tool_use_id": "t1", "is_error": True, "content": "Exit code 1"}
    records = [
        {"type": "user", "message": {"role": "user", "content": "Greet."}},
        {"type": "assistant", "message": {"id": "m1", "model": "m", "content": [call]}},
        {"type": "user", "message": {"role": "user", "content": [back]}},
        {
            "type": "assistant",
            "message": {
                "id": "m2",
                "model": "m",
                "content": [{"type": "text", "text": "Shall I?"}],
            },
        },
    ]
    return "".join(json.dumps({**record, **more}) + "\n" for record in records)
