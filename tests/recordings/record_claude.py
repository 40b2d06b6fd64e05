"""Record transcripts of the real Claude Code, with what the model server stated as the truth.

    python -m tests.recordings.record_claude [NAME ...]

Runs the pinned CLI against the loopback server, as a person would by hand, and writes
`tests/recordings/claude/NAME/`: the CLI's folder `projects`, as it was left but for its own texts
to the model, which are cut, and `wire.json`, which has the usage of every request that was
answered, in order, with the session and the subagent that asked.
Everything happens at a fixed place, so that a new recording differs from the old one in times and
random ids only.
"""

import json
import shutil
import signal
import sys
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from abreast.agents.claude.agent import AGENT
from abreast.loopback.anthropic import AnthropicDialect
from abreast.loopback.dialect import Reply, Request
from abreast.loopback.server import Loopback
from abreast.model.moves import (
    Call,
    Drop,
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
from tests.recordings.recording import fresh, keep_wire, record_all, run_cli, stated
from tests.support.clis import cli_environ
from tests.support.repos import make_repo

FIXTURES = Path(__file__).with_name("claude")
PLACE = Path("/tmp/abreast-transcripts/claude")

_FILES = {
    "app.py": "def greet(name):\n    return 'hello ' + name\n",
    "test_app.py": "from app import greet\nassert greet('Ada') == 'good day Ada', greet('Ada')\n",
}
_TOOLS = "Bash,Edit,Read,Write,Agent,TaskCreate,TaskUpdate,TaskList,TodoWrite"
_AGENTS = {
    "reader": {"description": "Reads.", "prompt": "You read code.", "tools": ["Bash", "Read"]},
    "asker": {"description": "Asks.", "prompt": "You ask others.", "tools": ["Agent"]},
}
_TEST = "python3 test_app.py"


class Stating(AnthropicDialect):
    """The dialect, keeping what it states."""

    def __init__(self) -> None:
        self.stated: list[dict[str, Any]] = []

    def stream(self, request: Request, reply: Reply) -> Iterator[bytes]:
        headers = request.headers
        line = stated(
            reply.spend,
            request.body.get("model", ""),
            session=headers.get("x-claude-code-session-id", ""),
            agent=headers.get("x-claude-code-agent-id", ""),
        )
        self.stated.append(line)
        return super().stream(request, reply)


@dataclass(frozen=True)
class Process:
    """One start of the CLI. `kill_at` is the file in its folder at which it is killed."""

    prompt: str
    options: tuple[str, ...] = ()
    kill_at: str = ""
    stop: int = signal.SIGKILL


@dataclass(frozen=True)
class Recording:
    """The processes of one fixture, and what the model says to them, by their prompts' keys."""

    processes: tuple[Process, ...]
    plays: dict[str, tuple[Move, ...]]
    environ: dict[str, str] = field(default_factory=dict)
    lost: int | None = None  # which of the replies was cut off on its way


def session_id(name: str) -> str:
    """The session of that fixture: the same in every recording."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"abreast/claude/{name}"))


def _named(name: str) -> tuple[str, ...]:
    return ("--session-id", session_id(name))


def _agent(prompt: str, *, to: str = "reader", background: bool = False) -> Call:
    return Call(
        "Agent",
        {
            "description": prompt.partition(".")[0],
            "prompt": prompt,
            "subagent_type": to,
            "run_in_background": background,
        },
    )


_COUNT = (
    Spend(1011, 0, 31, 900),
    Read("app.py"),
    Spend(1122, 911, 32, 11),
    Say("It greets."),
)

RECORDINGS: dict[str, Recording] = {
    "plain": Recording(
        (Process("Make the greeting polite. [PLAIN]", _named("plain")),),
        {
            "[PLAIN]": (
                Say("I look first."),
                Spend(1101, 0, 51, 1000),
                Read("app.py"),
                Spend(1302, 1001, 42, 201),
                Call("Bash", {"command": "grep -n greet *.py", "description": "Find greet"}),
                Spend(1403, 1202, 33, 102),
                Shell(_TEST),
                Say("The greeting is wrong."),
                Spend(1504, 1303, 64),
                Edit("app.py", "'hello '", "'good day '"),
                Spend(1605, 1304, 25, 17),
                Write("NOTES.md", "Greets politely.\n"),
                Spend(1706, 1405, 16),
                Shell(_TEST + " && echo all is well"),
                Spend(1807, 1506, 17),
                Read("missing.py"),
                Spend(1858, 1557, 18),
                Shell("exit 7"),
                Spend(1908, 1607, 78),
                Say("The greeting is polite now.\n\nShall I add a changelog entry?"),
            )
        },
    ),
    "subagents": Recording(
        (Process("Find out who greets. [PARENT]", _named("subagents")),),
        {
            "[PARENT]": (
                Spend(2101, 0, 61, 2000),
                _agent("Find it. [CHILD-A]"),
                Spend(2202, 2002, 42, 100),
                _agent("Check it. [CHILD-B]"),
                Spend(2303, 2103, 33),
                Say("app.py greets."),
            ),
            "[CHILD-A]": (
                Spend(3101, 0, 71, 3000),
                Read("app.py"),
                Spend(3202, 3003, 52, 99),
                Say("greet() in app.py:1 greets."),
            ),
            "[CHILD-B]": (
                Spend(4101, 0, 81, 4000),
                Shell("exit 7"),
                Spend(4202, 4004, 62),
                Say("It does."),
            ),
        },
    ),
    "background": Recording(
        (Process("Let another look. [PARENT]", _named("background")),),
        {
            "[PARENT]": (
                Spend(2111, 0, 61, 2010),
                _agent("Find it. [CHILD-A]", background=True),
                Spend(2212, 2012, 42, 110),
                Say("Another is looking."),
            ),
            "[CHILD-A]": (
                Spend(3111, 0, 71, 3010),
                Read("app.py"),
                Spend(3212, 3013, 52, 109),
                Say("greet() in app.py:1 greets."),
            ),
        },
    ),
    "resumed": Recording(
        (
            Process("Read the code. [FIRST]", _named("resumed")),
            Process("Now test it. [SECOND]", ("--resume", session_id("resumed"))),
        ),
        {
            "[FIRST]": _COUNT,
            "[SECOND]": (
                Spend(1233, 1022, 33, 44),
                Shell(_TEST),
                Spend(1344, 1133, 34),
                Say("It fails."),
            ),
        },
    ),
    "forked": Recording(
        (
            Process("Read the code. [FIRST]", _named("forked")),
            Process(
                "Say it shorter. [SECOND]",
                (*("--resume", session_id("forked")), "--fork-session", *_named("forked-2")),
            ),
            Process(
                "Say it longer. [THIRD]",
                (*("--resume", session_id("forked-2")), "--fork-session", *_named("forked-3")),
            ),
        ),
        {
            "[FIRST]": _COUNT,
            "[SECOND]": (Spend(1733, 1522, 43, 21), Say("Greets.")),
            "[THIRD]": (Spend(1834, 1623, 44), Shell("echo more"), Spend(1935, 1724, 45)),
        },
    ),
    "nested": Recording(
        (Process("Let one ask another. [PARENT]", _named("nested")),),
        {
            "[PARENT]": (
                Spend(2121, 0, 61, 2020),
                _agent("Ask another. [CHILD]", to="asker"),
                Spend(2222, 2022, 42, 120),
                Say("It was asked."),
            ),
            "[CHILD]": (
                Spend(3121, 0, 71, 3020),
                _agent("Look. [GRANDCHILD]"),
                Spend(3222, 3023, 52, 119),
                Say("It was looked at."),
            ),
            "[GRANDCHILD]": (
                Spend(4121, 0, 81, 4020),
                Read("app.py"),
                Spend(4222, 4023, 62, 129),
                Say("greet() greets."),
            ),
        },
    ),
    "compacted": Recording(
        (
            Process("Read the code. [FIRST]", _named("compacted")),
            Process("/compact", ("--resume", session_id("compacted"))),
            Process("Go on. [SECOND]", ("--resume", session_id("compacted"))),
        ),
        {
            "[FIRST]": _COUNT,
            "detailed summary": (Spend(5011, 1011, 131, 17), Say("<summary>It greets.</summary>")),
            "[SECOND]": (Spend(1244, 1033, 33), Read("app.py"), Spend(1355, 1144, 34)),
        },
    ),
    "killed": Recording(
        (Process("Wait for it. [KILLED]", _named("killed"), kill_at="begun"),),
        {
            "[KILLED]": (
                Spend(1021, 0, 22, 1000),
                Shell("echo one"),
                Say("Now the long one."),
                Spend(1132, 921, 23),
                Shell("touch begun && sleep 600"),
                Say("never said"),
            )
        },
    ),
    "interrupted": Recording(
        (
            Process(
                "Wait for it. [STOPPED]",
                _named("interrupted"),
                kill_at="begun",
                stop=signal.SIGINT,
            ),
        ),
        {"[STOPPED]": (Spend(1024, 0, 25, 1001), Shell("touch begun && sleep 600"))},
    ),
    "refused": Recording(
        (
            Process("Try it. [REFUSED]", _named("refused")),
            Process("Try again. [AGAIN]", ("--resume", session_id("refused"))),
        ),
        {
            "[REFUSED]": (
                Spend(1031, 0, 14),
                Shell("echo one"),
                HttpError(529, "Overloaded", code="overloaded"),
                Say("never said"),
            ),
            "[AGAIN]": (HttpError(400, "prompt is too long"), Say("never said")),
        },
        {"CLAUDE_CODE_MAX_RETRIES": "0"},
    ),
    "dropped": Recording(
        (Process("Lose it. [DROPPED]", _named("dropped")),),
        {
            "[DROPPED]": (
                Spend(1061, 0, 13, 1005),
                Shell("echo one"),
                Spend(1162, 1061, 14),
                Drop(times=1),
                Say("I run the next."),
                Shell("echo two"),
                Spend(1263, 1162, 15),
            )
        },
        {"CLAUDE_CODE_MAX_RETRIES": "1"},
        lost=1,
    ),
    "limited": Recording(
        (Process("Keep going. [LIMITED]", (*_named("limited"), "--max-turns", "2")),),
        {
            "[LIMITED]": (
                Spend(1051, 0, 15, 1002),
                Shell("echo one"),
                Spend(1152, 1051, 16),
                Shell("echo two"),
                Spend(1253, 1152, 17),
                Say("never said"),
            )
        },
    ),
    "todos": Recording(
        (Process("Do it step by step. [TODOS]", _named("todos")),),
        {
            "[TODOS]": (
                Spend(1041, 0, 15),
                Call("TaskCreate", {"subject": "look", "description": "Read app.py."}),
                Spend(1142, 941, 16),
                Call("TaskCreate", {"subject": "edit", "description": "Edit app.py."}),
                Spend(1243, 1042, 17),
                Call("TaskUpdate", {"taskId": "1", "status": "completed"}),
                Spend(1344, 1143, 18),
                Call("TaskUpdate", {"taskId": "2", "status": "in_progress"}),
                Spend(1445, 1244, 19),
                Call("TaskList", {}),
                Spend(1546, 1345, 20),
                Call(
                    "TodoWrite",
                    {
                        "todos": [
                            {"content": "look", "status": "completed", "activeForm": "looking"},
                            {"content": "edit", "status": "in_progress", "activeForm": "editing"},
                            {"content": "test", "status": "pending", "activeForm": "testing"},
                        ]
                    },
                ),
                Spend(1647, 1446, 21),
                Say("One is done."),
            )
        },
    ),
}


def record(name: str, folder: Path = FIXTURES) -> Path:
    """Record one fixture anew and return its folder."""
    recording, dialect = RECORDINGS[name], Stating()
    scenarios = [Scenario(key, moves) for key, moves in recording.plays.items()]
    with fresh(PLACE) as place, Loopback(scenarios, dialects=[dialect]) as server:
        environ = cli_environ(AGENT, server.url, place / "home") | recording.environ
        make_repo(place / "work", _FILES)
        for process in recording.processes:
            _run(process, place, environ)
        assert server.egress == [], server.egress
        target = folder / name
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(place / "home" / ".claude" / "projects", target / "projects")
    for path in target.rglob("*.jsonl"):
        path.write_bytes(b"".join(map(shortened, path.read_bytes().splitlines(keepends=True))))
    if recording.lost is not None:
        dialect.stated[recording.lost]["lost"] = True
    keep_wire(target, dialect.stated)
    return target


def shortened(line: bytes) -> bytes:
    """Cut what the CLI says to the model: it is long, and not ours to hand on."""
    try:
        record = json.loads(line)
    except ValueError:
        return line
    if not record["type"].startswith(("attachment", "api-request")):
        return line
    return json.dumps(_cut(record), ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _cut(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _cut(inner) for key, inner in value.items() if key != "osVersion"}
    if isinstance(value, list):
        return [_cut(inner) for inner in value[:1]]
    if isinstance(value, str) and len(value) > 60:
        return value[:40] + "…"
    return value


def _run(process: Process, place: Path, environ: dict[str, str]) -> None:
    installed = AGENT.find(environ)
    assert installed is not None, "the pinned claude is missing: npm ci in tests/clis"
    own = {"CLAUDE_CODE_DISABLE_AUTO_MEMORY": "1", "CLAUDE_CODE_TMPDIR": str(place)}
    argv = [str(installed.path), "-p", *("--output-format", "stream-json", "--verbose")]
    argv += ["--permission-mode", "acceptEdits", "--allowedTools", "Bash"]
    # What the CLI says to the model would be nearly all of a transcript.
    argv += ["--system-prompt", "You edit code.", "--setting-sources", ""]
    argv += [] if process.prompt.startswith("/") else ["--disable-slash-commands"]
    argv += ["--tools", _TOOLS, "--agents", json.dumps(_AGENTS)]

    def due() -> bool:
        return (place / "work" / process.kill_at).exists() and _written(place, process.kill_at)

    argv += [*process.options, process.prompt]
    run_cli(argv, place, environ | own, due=due if process.kill_at else None, stop=process.stop)


def _written(place: Path, word: str) -> bool:
    """The CLI writes its record a moment after it acts."""
    records = (place / "home" / ".claude" / "projects").glob("*/*.jsonl")
    return any(f'"command":"touch {word}'.encode() in path.read_bytes() for path in records)


def main(names: Sequence[str]) -> None:
    record_all(names or RECORDINGS, record)


if __name__ == "__main__":
    main(sys.argv[1:])
