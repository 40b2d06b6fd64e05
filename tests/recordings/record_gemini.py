"""Record transcripts of the real Gemini CLI, with what the model server stated as the truth.

    python -m tests.recordings.record_gemini [NAME ...]

Runs the pinned CLI against the loopback server, as a person would by hand, and writes
`tests/recordings/gemini/NAME/`: the CLI's own folder, as it was left, and `wire.json`, which has
the usage of every request that was answered. Everything happens at a fixed place, so that a new
recording differs from the old one in times and random ids only.
"""

import json
import shutil
import sys
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from abreast.agents.gemini.agent import AGENT
from abreast.loopback.dialect import RecordedRequest, turn_at
from abreast.loopback.server import Loopback
from abreast.model.moves import Call, Edit, Hang, HttpError, Move, Read, Say, Scenario, Shell, Spend
from abreast.model.moves import Write as WriteFile
from tests.recordings.recording import fresh, keep_wire, record_all, run_cli, stated
from tests.support.clis import cli_environ

FIXTURES = Path(__file__).parent / "gemini"
PLACE = Path("/tmp/abreast-gemini-transcripts")  # the same for everybody

_SETTINGS = {
    "security": {"auth": {"selectedType": "gemini-api-key"}},
    "general": {
        "sessionRetention": {"enabled": False},
        "maxAttempts": 1,
        "retryFetchErrors": False,
    },
    "privacy": {"usageStatisticsEnabled": False},
    "telemetry": {"enabled": False},
}
_FILES = {
    "app.py": "def greet(name):\n    return 'hello ' + name\n",
    "test_app.py": "from app import greet\nassert greet('Ada') == 'good day Ada', greet('Ada')\n",
}
_TEST = "python3 test_app.py"


@dataclass(frozen=True)
class Process:
    """One start of the CLI, killed when there is a file `kill_at`, or at its n-th request."""

    prompt: str
    options: tuple[str, ...] = ()
    kill_at: str | int = ""


@dataclass(frozen=True)
class Recording:
    """The processes of one fixture, and what the model says to them, by their prompts' keys."""

    processes: tuple[Process, ...]
    plays: dict[str, tuple[Move, ...]]
    settings: dict[str, Any] = field(default_factory=dict)


def session_id(name: str) -> str:
    """The session of that fixture: the same in every recording."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"abreast/gemini/{name}"))


def _named(name: str) -> tuple[str, ...]:
    return ("--session-id", session_id(name))


def _resumed(name: str) -> tuple[str, ...]:
    return ("--resume", session_id(name))


def _todos(*states: str) -> Call:
    items = [
        {"description": f"step {number}", "status": state} for number, state in enumerate(states)
    ]
    return Call("write_todos", {"todos": items})


def _complete(answer: str) -> Call:
    return Call("complete_task", {"result": {"response": answer}})


PLAIN = (
    Say("I look first."),
    Spend(1101, 0, 51),
    Read("app.py"),
    Spend(1302, 1001, 42),
    Call("grep_search", {"pattern": "greet"}),
    Spend(1403, 1102, 33),
    Shell(_TEST),
    Say("The greeting is wrong."),
    Spend(1504, 1203, 64),
    Edit("app.py", "hello ", "good day "),
    Spend(1605, 1304, 25),
    WriteFile("NOTES.md", "Greets politely.\n"),
    Spend(1706, 1405, 16),
    Shell(_TEST + " && echo all is well"),
    Spend(1807, 1506, 17),
    Read("missing.py"),
    Spend(1908, 1607, 78),
    Say("The greeting is polite now.\n\nShall I add a changelog entry?"),
)

RECORDINGS: dict[str, Recording] = {
    "plain": Recording(
        (Process("Make the greeting polite. [PLAIN]", _named("plain")),), {"[PLAIN]": PLAIN}
    ),
    "subagents": Recording(
        (Process("Find out who greets. [PARENT]", _named("subagents")),),
        {
            "[PARENT]": (
                Spend(2101, 0, 61),
                Call("invoke_agent", {"agent_name": "generalist", "prompt": "Find it. [CHILD-A]"}),
                Spend(2202, 2002, 42),
                Call("invoke_agent", {"agent_name": "generalist", "prompt": "Check it. [CHILD-B]"}),
                Spend(2303, 2103, 33),
                Say("app.py greets."),
            ),
            "[CHILD-A]": (
                Spend(3101, 0, 71),
                Read("app.py"),
                Spend(3202, 3003, 52),
                _complete("greet() in app.py:1 greets."),
            ),
            "[CHILD-B]": (
                Spend(4101, 0, 81),
                Shell("exit 7"),
                Spend(4202, 4004, 62),
                _complete("It does."),
            ),
        },
    ),
    "resumed": Recording(
        (
            Process("Read the code. [FIRST]", _named("resumed")),
            Process("Now test it. [SECOND]", _resumed("resumed")),
        ),
        {
            "[FIRST]": (Spend(1011, 0, 31), Read("app.py"), Spend(1122, 911, 32), Say("Read.")),
            "[SECOND]": (
                Spend(1233, 1022, 33),
                Shell(_TEST),
                Spend(1344, 1133, 34),
                Say("It fails."),
            ),
        },
    ),
    "forked": Recording(
        (
            Process("Read the code. [FIRST]", _named("forked")),
            Process("Say it shorter. [SECOND]", ("--session-file", "{transcript}")),
        ),
        {
            "[FIRST]": (
                Spend(1511, 0, 41),
                Read("app.py"),
                Spend(1622, 1411, 42),
                Say("It greets."),
            ),
            "[SECOND]": (Spend(1733, 1522, 43), Say("Greets.")),
        },
    ),
    "killed": Recording(
        (Process("Wait for it. [KILLED]", _named("killed"), kill_at="begun"),),
        {
            "[KILLED]": (
                Spend(1021, 0, 22),
                Shell("echo one"),
                Say("Now the long one."),
                Spend(1132, 921, 23),
                Shell("touch begun && sleep 600"),
                Say("never said"),
            )
        },
    ),
    "refused": Recording(
        (
            Process("Try it. [REFUSED]", _named("refused")),
            Process("Try again. [AGAIN]", _resumed("refused")),
        ),
        {
            "[REFUSED]": (
                Spend(1031, 0, 14),
                Shell("echo one"),
                HttpError(503, "The model is overloaded."),
                Say("never said"),
            ),
            "[AGAIN]": (HttpError(429, "Quota exceeded.", code="quota"), Say("never said")),
        },
    ),
    "cut": Recording(
        (Process("Think hard. [CUT]", _named("cut"), kill_at=2),),
        {
            "[CUT]": (
                Spend(1026, 0, 24),
                Shell("echo one"),
                Hang(60),
                Say("never said"),
            )
        },
    ),
    "compacted": Recording(
        (
            Process("Read the long one. [FIRST]", _named("compacted")),
            Process("Go on. [SECOND]", _resumed("compacted")),
        ),
        {
            "[FIRST]": (
                Spend(1811, 0, 31),
                Shell("seq 1 900"),
                Spend(1922, 1711, 32),
                Shell("seq 1 500"),
                Spend(1933, 1712, 33),
                Say("Long."),
            ),
            "[SECOND]": (
                Spend(1244, 1033, 33),
                Read("app.py"),
                Spend(1355, 1144, 34),
                Say("Shorter."),
            ),
        },
        {"model": {"compressionThreshold": 0.001}},
    ),
    "todos": Recording(
        (
            Process(
                "Do it step by step. [TODOS]", (*_named("todos"), "--model", "gemini-2.5-flash")
            ),
        ),
        {
            "[TODOS]": (
                Spend(1041, 0, 15),
                _todos("in_progress", "pending", "cancelled"),
                Spend(1142, 941, 16),
                Shell("echo one"),
                Spend(1243, 1042, 17),
                _todos("completed", "in_progress", "cancelled"),
                Spend(1344, 1143, 18),
                Say("One is done."),
            )
        },
    ),
}


def record(name: str, folder: Path = FIXTURES) -> Path:
    """Record one fixture anew and return its folder."""
    recording, target = RECORDINGS[name], folder / name
    scenarios = [Scenario(key, moves) for key, moves in recording.plays.items()]
    with fresh(PLACE) as place, Loopback(scenarios) as server:
        environ = cli_environ(AGENT, server.url, place / "home")
        own = place / "home" / ".gemini"
        _write(own / "settings.json", json.dumps(_SETTINGS | recording.settings))
        for path, text in _FILES.items():
            _write(place / "work" / path, text)
        for process in recording.processes:
            _run(process, place, environ, server)
        assert server.egress == [], server.egress
        shutil.rmtree(target, ignore_errors=True)
        for found in _kept(own):
            _copy(found, target / ".gemini" / found.relative_to(own))
        keep_wire(target, _wire(server.requests, recording))
    return target


def _wire(requests: Sequence[RecordedRequest], recording: Recording) -> list[dict[str, Any]]:
    """What the server stated for each request that it answered with a reply."""
    lines = []
    for request in requests:
        if request.step is None:
            continue
        turn = turn_at(Scenario(request.scenario, recording.plays[request.scenario]), request.step)
        if turn.fault is None and not turn.stall:
            model = request.path.rpartition("/")[2].partition(":")[0]
            asked = {"scenario": request.scenario, "step": request.step}
            lines.append(stated(turn.reply.spend, model, **asked))
    return lines


def _run(process: Process, place: Path, environ: dict[str, str], server: Loopback) -> None:
    own = {"GEMINI_CLI_NO_RELAUNCH": "true", "TMPDIR": str(place)}

    def due() -> bool:
        return _is_due(process.kill_at, place, server)

    argv = _command(process, place, environ)
    run_cli(argv, place, environ | own, due=due if process.kill_at else None)


def _is_due(what: str | int, place: Path, server: Loopback) -> bool:
    if isinstance(what, str):
        return (place / "work" / what).exists()
    return sum(request.step is not None for request in server.requests) >= what


def _command(process: Process, place: Path, environ: dict[str, str]) -> list[str]:
    program = shutil.which("gemini", path=environ["PATH"])
    assert program is not None
    files = sorted(map(str, place.glob("home/.gemini/tmp/*/chats/session-*.jsonl")))
    options = [files[0] if option == "{transcript}" else option for option in process.options]
    model = [] if "--model" in options else ["--model", "flash"]
    return [
        program,
        *("--skip-trust", "--approval-mode", "yolo", "--output-format", "stream-json"),
        *model,
        *options,
        *("--prompt", process.prompt),
    ]


def _kept(folder: Path) -> list[Path]:
    tmp = folder / "tmp"
    return [p for p in (*tmp.glob("*/chats/**/*"), *tmp.glob("*/.project_root")) if p.is_file()]


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def main(names: Sequence[str]) -> None:
    record_all(names or RECORDINGS, record)


if __name__ == "__main__":
    main(sys.argv[1:])
