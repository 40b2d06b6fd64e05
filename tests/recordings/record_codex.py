"""Records rollouts of the pinned Codex CLI, each beside what the model server stated.

`python -m tests.recordings.record_codex [NAME…]` replaces `tests/recordings/codex/NAME`, by
default each of them. Each is a CODEX_HOME with nothing but its sessions, and `wire.json`: the
usage of each answer, in order, with the thread that asked.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from abreast.agents.codex.agent import AGENT
from abreast.loopback.dialect import Message, Reply, Request
from abreast.loopback.openai import OpenAI
from abreast.loopback.server import Loopback
from abreast.model.moves import (
    Call,
    Edit,
    HttpError,
    Move,
    Read,
    Say,
    Scenario,
    Shell,
    Spend,
    Write,
)
from abreast.process.tree import MARKER, sweep
from tests.recordings.recording import fresh, keep_wire, record_all, stated
from tests.support.clis import cli_environ
from tests.support.deadlines import SECONDS, eventually
from tests.support.repos import make_repo

FIXTURES = Path(__file__).with_name("codex")
# Neither in /dev, which Codex's sandbox hides, nor in /tmp, where it lets anyone write.
PLACE = Path("/var/tmp/abreast-transcripts/codex")
OLDER, NEWER, UNKNOWN = "gpt-5.5", "gpt-6.1-sol", "house-model"
BRIEFING = "# Rules\n\nThe briefing says: use tabs.\n"
FILES = {
    "AGENTS.md": BRIEFING,
    "src/app.py": "def greet():\n    return 'hello'\n",
    "src/notes.txt": "one\ntwo\nthree\n",
}
_EDIT = Edit("src/app.py", "    return 'hello'\n", "    return 'hi'\n")
_SUBAGENTS = "multi_agent_v1"
_SPACE = re.compile(r'"name": "(\w+)\.')


class Stating(OpenAI):
    """The dialect, keeping what it states; `space.tool` is the tool of a namespace.

    `$AGENT` in a call's arguments becomes the id of the sub-agent that was started last.
    """

    def __init__(self) -> None:
        self.stated: list[dict[str, Any]] = []

    def conversation(self, request: Request) -> list[Message]:
        """Return the conversation; what one agent asks of another counts as a prompt."""
        items = [_as_prompt(item) for item in request.body.get("input", [])]
        return super().conversation(replace(request, body={**request.body, "input": items}))

    def stream(self, request: Request, reply: Reply) -> Iterator[bytes]:
        spend = reply.spend
        thread = request.headers.get("thread-id", "")
        session = request.headers.get("session-id", "")
        agent = "" if thread == session else thread
        self.stated.append(stated(spend, reply.model, session=session, agent=agent))
        agent = _last_agent(request.body)
        cached = f'"cached_tokens": {spend.cached_tokens}'
        written = f'{cached}, "cache_write_tokens": {spend.written_tokens}'
        for chunk in super().stream(request, reply):
            text = chunk.decode().replace("$AGENT", agent).replace(cached, written)
            yield _SPACE.sub(r'"namespace": "\1", "name": "', text).encode()


def _as_prompt(item: dict[str, Any]) -> dict[str, Any]:
    if item.get("type") != "agent_message":
        return item
    parts = [{"text": part.get("encrypted_content", "")} for part in item["content"]]
    return {"type": "message", "role": "user", "content": parts}


def marker(root: Path) -> str:
    return f"abreast-transcripts-codex-{root.name}"


def _last_agent(body: Mapping[str, Any]) -> str:
    found = ""
    for item in body.get("input", ()):
        output = item.get("output")
        if isinstance(output, str) and '"agent_id"' in output:
            found = str(json.loads(output)["agent_id"])
    return found


@dataclass
class Recorder:
    """A repository, a home and a model server for one fixture."""

    server: Loopback
    dialect: Stating
    root: Path
    environ: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        make_repo(self.root / "repo", FILES)
        self.environ = cli_environ(AGENT, self.server.url, self.root / "home")
        short = self.root / "instructions.md"
        short.write_text("You edit code.\n")
        config = self.home / "config.toml"
        # The top of the file, for what follows a table's head belongs to the table.
        config.write_text(f'model_instructions_file = "{short}"\n' + config.read_text())

    @property
    def home(self) -> Path:
        return Path(self.environ["CODEX_HOME"])

    def add(self, prompt: str, *moves: Move) -> None:
        self.server.add(Scenario(prompt, moves))

    def start(
        self, *args: str, prompt: str, model: str = OLDER, sandbox: str = "danger-full-access"
    ) -> subprocess.Popen[bytes]:
        installed = AGENT.find(self.environ)
        assert installed is not None, "the pinned codex is missing: npm ci in tests/clis"
        argv = [str(installed.path), "exec", "--json", "-s", sandbox, "-m", model]
        argv += ["-c", "skills.bundled.enabled=false", "-c", 'web_search="disabled"']
        return subprocess.Popen(
            [*argv, *args, prompt],
            cwd=self.root / "repo",
            env=self.environ | {MARKER: marker(self.root)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=(self.root / "stderr").open("wb"),
            start_new_session=True,
        )

    def run(self, *args: str, prompt: str, code: int = 0, **more: str) -> None:
        process = self.start(*args, prompt=prompt, **more)
        ended = process.wait(SECONDS)
        assert ended == code, (ended, (self.root / "stderr").read_text())

    def rollouts(self) -> list[Path]:
        return sorted(self.home.glob("sessions/*/*/*/*"))

    def thread(self) -> str:
        """The only session so far."""
        (path,) = self.rollouts()
        meta = json.loads(path.read_bytes().splitlines()[0])
        return str(meta["payload"]["id"])


def plain(recorder: Recorder) -> None:
    """Read, search, edit, add, fail, pass, and be refused."""
    _work(recorder, OLDER)


def code_mode(recorder: Recorder) -> None:
    """The same by a newer model, which calls its tools from JavaScript, after a plan."""
    script = (
        "await tools.update_plan({plan: [{step: 'look', status: 'completed'}, "
        '{step: "don\'t \\"stop\\"", status: "in_progress"}]});'
    )
    _work(recorder, NEWER, Spend(900, 0, 7, 512), Call("exec", {"input": script}))


def _work(recorder: Recorder, model: str, *first: Move) -> None:
    recorder.add(
        "greet with hi",
        *first,
        *(Spend(1000, 0, 20), Say("I look first."), Read("src/app.py")),
        *(Spend(1100, 900, 21), Shell("grep -rn hello src")),
        *(Spend(1200, 1000, 22), _EDIT),
        *(Spend(1300, 1100, 23), Write("tests/test_app.py", "def test_it():\n    assert 0\n")),
        *(Spend(1400, 1200, 24), Shell("echo '1 failed'; exit 3")),
        *(Spend(1500, 1300, 25), Shell("echo '1 passed'")),
        *(Spend(1600, 1400, 26), Write("/outside.txt", "x\n")),
        *(Spend(1700, 1500, 27), Say("It greets with hi.")),
    )
    # Without a sandbox there would be no refusal, and its rules make the record long.
    switches = ("-c", "tools.update_plan={enabled=true}", "-c", "agents.enabled=false")
    recorder.run(*switches, prompt="greet with hi", model=model, sandbox="workspace-write")


def resumed(recorder: Recorder) -> None:
    recorder.add(
        "count lines", Spend(900, 0, 11), Read("src/notes.txt"), Spend(950, 900, 12), Say("3")
    )
    recorder.run(prompt="count lines")
    recorder.add(
        "and words", Spend(1020, 800, 13), Shell("wc -w src/notes.txt"), Spend(1080, 1000, 14)
    )
    recorder.run("resume", recorder.thread(), prompt="and words")


def forked(recorder: Recorder) -> None:
    """A session, a fork of it, a fork of the fork, and a fork that never got an answer."""
    recorder.add(
        "count lines", Spend(900, 0, 11), Read("src/notes.txt"), Spend(950, 900, 12), Say("3")
    )
    recorder.run(prompt="count lines")
    first = recorder.thread()
    recorder.add(
        "another way", Spend(1030, 700, 15), Shell("wc -l src/notes.txt"), Spend(1090, 1010, 16)
    )
    recorder.run("fork", first, prompt="another way")
    (second,) = {s["session"] for s in recorder.dialect.stated} - {first}
    recorder.add("a third way", Spend(1130, 710, 17), Say("Three."))
    recorder.run("fork", second, prompt="a third way")
    recorder.add("no way", HttpError(429, "no more", code="quota"))
    recorder.run("fork", first, prompt="no way", code=1)


def _kill_at_work(recorder: Recorder, number: int) -> None:
    recorder.add(
        "wait long",
        *(Spend(800, 0, 9), Write("half.txt", "1\n")),
        *(Spend(850, 700, 10), Shell("touch on; sleep 600")),
    )
    process = recorder.start(prompt="wait long")
    eventually((recorder.root / "repo/on").exists, "the command")
    os.kill(process.pid, number)
    process.wait()


def killed(recorder: Recorder) -> None:
    """Killed while a command runs."""
    _kill_at_work(recorder, signal.SIGKILL)


def revived(recorder: Recorder) -> None:
    """Killed, resumed into a quota error, and resumed again: Codex's own totals lose a request."""
    _kill_at_work(recorder, signal.SIGKILL)
    thread = recorder.thread()
    recorder.add("go on", HttpError(429, "no more", code="quota"))
    recorder.run("resume", thread, prompt="go on", code=1)
    recorder.add("once more", Spend(880, 810, 13), Say("It went on."))
    recorder.run("resume", thread, prompt="once more")


def interrupted(recorder: Recorder) -> None:
    """Stopped by Ctrl-C while a command runs."""
    _kill_at_work(recorder, signal.SIGINT)


def slow(recorder: Recorder) -> None:
    """A command that goes on by itself and fails later."""
    late = Call("exec_command", {"cmd": "sleep 1; echo late; exit 4", "yield_time_ms": 300})
    recorder.add(
        "run it aside",
        *(Spend(500, 0, 5), late, Spend(510, 490, 6), Shell("sleep 3")),
        *(Spend(520, 500, 7), Say("Seen.")),
    )
    recorder.run(prompt="run it aside")


def quota(recorder: Recorder) -> None:
    recorder.add(
        "use it up", Spend(700, 0, 8), Read("src/app.py"), HttpError(429, "no more", code="quota")
    )
    recorder.run(prompt="use it up", code=1)


def planned(recorder: Recorder) -> None:
    def plan(*done: str) -> Call:
        steps = zip(("look", "edit", "test"), done, strict=True)
        return Call("update_plan", {"plan": [{"step": s, "status": d} for s, d in steps]})

    recorder.add(
        "follow a plan",
        *(Spend(600, 0, 7), plan("in_progress", "pending", "pending")),
        *(Spend(650, 600, 8), plan("completed", "in_progress", "pending")),
        *(Spend(690, 640, 9), Say("Shall I go on?")),
    )
    recorder.run("-c", "tools.update_plan={enabled=true}", prompt="follow a plan")


def subagents(recorder: Recorder) -> None:
    """Two sub-agents, one after the other; the second knows what was said before."""

    def tool(name: str, **arguments: Any) -> Call:
        return Call(f"{_SUBAGENTS}.{name}", arguments)

    recorder.add(
        "read notes for me",
        Spend(2000, 0, 40),
        Read("src/notes.txt"),
        Spend(2100, 1900, 41),
        Say("3 lines"),
    )
    recorder.add(
        "read app for me",
        Spend(2200, 50, 42),
        Read("src/app.py"),
        Spend(2300, 2100, 43),
        Say("greets"),
    )
    recorder.add(
        "let others read",
        *(Spend(3000, 0, 50), tool("spawn_agent", message="read notes for me")),
        *(Spend(3100, 2900, 51), tool("wait_agent", targets=["$AGENT"], timeout_ms=20000)),
        *(Spend(3200, 3000, 52), tool("spawn_agent", message="read app for me", fork_context=True)),
        *(Spend(3300, 3100, 53), tool("wait_agent", targets=["$AGENT"], timeout_ms=20000)),
        *(Spend(3400, 3200, 54), Say("Both were read.")),
    )
    recorder.run(prompt="let others read", model=UNKNOWN)


def collaboration(recorder: Recorder) -> None:
    """A sub-agent as newer models have them: it knows what was said, and its task is sealed."""
    recorder.add(
        "read notes for me",
        Spend(2000, 1500, 40),
        Read("src/notes.txt"),
        Spend(2100, 1900, 41),
        Say("3 lines"),
    )
    spawn = {"task_name": "notes", "message": "read notes for me"}
    recorder.add(
        "let another read",
        *(Spend(3000, 0, 50), Call("collaboration.spawn_agent", spawn)),
        *(Spend(3100, 2900, 51), Call("collaboration.wait_agent", {"timeout_ms": 20000})),
        *(Spend(3200, 3000, 52), Say("It was read.")),
    )
    recorder.run(prompt="let another read", model=NEWER)


def compacted(recorder: Recorder) -> None:
    recorder.add(
        "fill the window",
        *(Spend(1000, 0, 30), Shell("echo a")),
        *(Spend(250_000, 990, 31), Shell("echo b")),
    )
    recorder.add(
        "CHECKPOINT COMPACTION", Spend(250_100, 240_000, 33), Say("Both echoes were heard.")
    )
    recorder.add("Both echoes were heard", Spend(1200, 0, 32), Say("Done."))
    recorder.run(prompt="fill the window")


RECORDS: Mapping[str, Callable[[Recorder], None]] = {
    made.__name__: made
    for made in (
        *(plain, code_mode, resumed, forked, killed, revived, interrupted, slow, quota),
        *(planned, subagents, collaboration, compacted),
    )
}


def shortened(line: bytes) -> bytes:
    """Return a line as it is, but for the descriptions of the tools, 25 kB in each rollout."""
    if b'"type":"additional_tools"' not in line[:200]:
        return line
    record = json.loads(line)
    record["payload"]["tools"] = []
    return json.dumps(record, separators=(",", ":")).encode() + b"\n"


def record(name: str) -> Path:
    """Record one fixture anew and return its folder."""
    target, dialect = FIXTURES / name, Stating()
    with fresh(PLACE / name) as root:
        try:
            with Loopback(dialects=[dialect]) as server:
                recorder = Recorder(server, dialect, root)
                RECORDS[name](recorder)
                shutil.rmtree(target, ignore_errors=True)
                for path in recorder.rollouts():
                    kept = target / path.relative_to(recorder.home)
                    kept.parent.mkdir(parents=True, exist_ok=True)
                    kept.write_bytes(b"".join(map(shortened, path.read_bytes().splitlines(True))))
            keep_wire(target, dialect.stated)
        finally:
            sweep(marker(root))
    return target


def main(names: Sequence[str]) -> None:
    record_all(names or RECORDS, record)


if __name__ == "__main__":
    main(sys.argv[1:])
