"""A toy agent with every part that an agent can have; `cli.py`, beside this file, is its CLI.

abreast gets it by the name of this file alone, in the variable ABREAST_AGENTS.
"""

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from abreast.agents.base import (
    Agent,
    Capabilities,
    Command,
    Installed,
    Launch,
    Login,
    LoginState,
    Redirect,
    Relied,
    relied,
)
from abreast.agents.hosts import https, named_by
from abreast.agents.lines import load_line
from abreast.agents.parts import (
    NAME,
    SECONDS,
    BriefingFiles,
    Certified,
    EndingHook,
    Layout,
    Registration,
    Retention,
    Wanted,
)
from abreast.agents.recorded import record_lines
from abreast.loopback.dialect import Answer, Message, Reply, Request
from abreast.model.cause import Cause
from abreast.model.economy import Price, PriceList
from abreast.model.events import Event, EventKind, Outcome, Verdict
from abreast.model.finding import Defect
from abreast.model.moves import Write
from abreast.model.transcript import (
    Begun,
    Called,
    Returned,
    Said,
    Spent,
    ToolKind,
    Transcript,
    TranscriptEvent,
)
from abreast.model.usage import Usage

URL = "TOY_URL"
HOME = "TOY_HOME"
VERSION = "1.4.2"


def home_of(environ: Mapping[str, str]) -> Path:
    return Path(environ.get(HOME) or Path(environ.get("HOME", "/")) / ".toy")


class Events:
    """One line of a record is one thing that happened."""

    def __init__(self, path: Path) -> None:
        self.path, self.skipped = path, 0

    def feed(self, line: bytes) -> Iterable[TranscriptEvent]:
        try:
            return (self._event(json.loads(line)),)
        except (ValueError, TypeError, KeyError, RecursionError):
            self.skipped += 1
            return ()

    def _event(self, told: dict[str, Any]) -> TranscriptEvent:
        at, kind = float(told["at"]), told["kind"]
        match kind:
            case "begun":
                return Begun(at, str(told["session"]), str(told["cwd"]), version=VERSION)
            case "said":
                return Said(at, bool(told["by_user"]), str(told["text"]))
            case "called":
                path = str(told["path"])
                return Called(at, str(told["id"]), ToolKind.WRITE, "write", path, (path,))
            case "returned":
                return Returned(at, str(told["id"]), failed=bool(told["failed"]))
            case "spent":
                counts = (int(told[key]) for key in ("read", "cached", "wrote"))
                return Spent(at, str(told["id"]), str(told["model"]), *counts)
        raise ValueError(kind)


class Spending:
    """What each line says was spent; there is nothing to remember between them."""

    state = None

    def __init__(self, path: Path, state: Mapping[str, Any] | None = None) -> None:
        self._events = Events(path)
        self.warnings: list[str] = []

    @property
    def skipped(self) -> int:
        return self._events.skipped

    def feed(self, line: bytes) -> Iterable[Spent]:
        return [one for one in self._events.feed(line) if isinstance(one, Spent)]


class ToyRecords:
    """`records/SESSION.toy` in the CLI's own folder."""

    ASIDES = ()
    Events = Events
    Spending = Spending

    def roots(self, environ: Mapping[str, str]) -> tuple[Path, ...]:
        return (home_of(environ) / "records",)

    def scan(
        self, environ: Mapping[str, str], also: Iterable[Path]
    ) -> Iterator["os.DirEntry[str]"]:
        for folder in (*self.roots(environ), *(home / "records" for home in also)):
            if folder.is_dir():
                with os.scandir(folder) as entries:
                    yield from (one for one in entries if one.name.endswith(".toy"))

    def children(self, path: Path) -> list[Path]:
        return []

    def read(self, path: Path) -> Transcript:
        events, warnings = Events(path), list[str]()
        found = [one for line in record_lines(path, warnings) for one in events.feed(line)]
        begun = next((one for one in found if isinstance(one, Begun)), Begun(0.0, path.stem))
        return Transcript(
            "toy",
            str(path),
            begun.session,
            tuple(found),
            cwd=begun.cwd,
            version=begun.version,
            begun=begun.at,
            last=max((one.at for one in found), default=0.0),
            skipped=events.skipped,
            warnings=tuple(warnings),
        )

    def carries(self, line: bytes) -> bool:
        return b'"spent"' in line

    def introduces(self, line: bytes, told: Begun) -> bool:
        return False


class ToyConnection:
    """The CLI's own command writes the entry, into `toy.json`."""

    WAIT = 120.0
    SESSION = "TOY_SESSION"
    FOLDER = "TOY_FOLDER"

    def registration(self, wanted: Wanted) -> Registration:
        folder = home_of(wanted.environ) if wanted.top is None else wanted.top / ".toy"
        return Registration(
            config=folder / "toy.json",
            layout=Layout.JSON,
            keys=("servers", NAME),
            skills=folder / "skills",
            command=("add", NAME, *wanted.server),
            env={HOME: str(wanted.scratch)},
            written=wanted.scratch / "toy.json",
            notes=("the toy asks nobody",),
        )


def ending_hook(command: str, environ: Mapping[str, str]) -> EndingHook:
    group = {"hooks": [{"type": "command", "command": command, "timeout": SECONDS}]}
    file = home_of(environ) / "toy.json"
    return EndingHook(file, Layout.JSON, group, off=("quiet",), off_value=True)


class ToyDialect:
    """`POST /toy` with all that was said; the answer is lines of JSON."""

    name = "toy"

    def recognises(self, request: Request) -> bool:
        return request.path == "/toy"

    def aside(self, request: Request) -> Answer | None:
        return None

    def conversation(self, request: Request) -> list[Message]:
        return [Message(one["role"], one["text"]) for one in request.body["messages"]]

    def stream(self, request: Request, reply: Reply) -> Iterator[bytes]:
        call = reply.call
        if call is not None and not isinstance(call, Write):
            raise TypeError(f"the toy has no tool for {call}")
        made = {"path": call.path, "text": call.text} if call else None
        spend = reply.spend
        used = {"read": spend.input_tokens, "cached": spend.cached_tokens}
        yield json.dumps({"text": reply.text}).encode() + b"\n"
        yield json.dumps({"write": made, **used, "wrote": spend.output_tokens}).encode() + b"\n"

    def error(self, status: int, message: str, code: str) -> Answer:
        return Answer(status, body=json.dumps({"error": message, "code": code}).encode())


class ToyReader:
    """Reads what the CLI prints: a line for each thing, at last `result`."""

    def __init__(self) -> None:
        self.skipped, self._turns = 0, 0
        self._session: str | None = None
        self._usage, self._start_up = Usage(), None
        self._result: str | None = None

    def feed(self, line: bytes) -> Iterable[Event]:
        try:
            return (self._event(load_line(line)),)
        except (ValueError, TypeError, KeyError):
            self.skipped += 1
            return ()

    def _event(self, told: dict[str, Any]) -> Event:
        match told["type"]:
            case "began":
                self._session = str(told["session"])
                return Event(EventKind.STARTED, self._session)
            case "text":
                return Event(EventKind.TEXT, str(told["text"]))
            case "write":
                path = str(told["path"])
                return Event(EventKind.TOOL, f"write {path}", (path,))
            case "wrote":
                return Event(EventKind.TOOL_DONE, f"write {told['path']}")
            case "result":
                text = str(told["text"])
                read, cached, wrote = (int(told[key]) for key in ("read", "cached", "wrote"))
                self._usage = Usage(read, cached, wrote, source="stream")
                self._result = text
                return Event(EventKind.RESULT, text, turns=1, usage=self._usage)
        raise ValueError(told["type"])

    def used(self) -> Usage:
        return Usage()

    def verdict(self, code: int | None, stderr: str) -> Verdict:
        if self._result is None:
            reason = f"the toy ended without a result ({code}): {stderr.strip()[-500:]}"
            return Verdict(Outcome.UNKNOWN, reason, cause=Cause.OTHER, cli_session=self._session)
        return Verdict(
            Outcome.OK if code == 0 else Outcome.FAILED,
            "" if code == 0 else f"the toy exited with {code}",
            final_message=self._result,
            cli_session=self._session,
            usage=self._usage,
            turns=1,
        )


class ToyAgent(Agent):
    """All that abreast has to know of the toy."""

    name = "toy"
    title = "The Toy"
    capabilities = Capabilities(resume=True, interactive=True, usage=True, model=True)
    install_hint = "put it on PATH"
    env_patterns = ("TOY_*",)
    env_names = (URL, HOME)
    certified = Certified("1.0.0", "1.9.0")
    defects = (
        Defect(
            "1.4.0",
            "1.5.0",
            "it forgets what day it is",
            "tested with 1.4.2 on 2026-11-29",
            "toy update",
            harmless=lambda environ, checkouts: "TOY_CALENDAR" in environ,
        ),
    )
    prices = PriceList("2026-11-29", {"toy-1": Price(1, 0.1, 1, 2)})
    start_up = 100
    private_home = "toy-home"
    briefing = BriefingFiles("TOY.md")
    records = ToyRecords()
    connection = ToyConnection()
    dialect = ToyDialect()

    @property
    def ending_hook(self) -> Any:
        return ending_hook

    def retention(self, environ: Mapping[str, str]) -> Retention:
        return Retention(30, f'"keep": 3650 in {home_of(environ)}/toy.json')

    def find(self, environ: Mapping[str, str]) -> Installed | None:
        found = shutil.which("toy", path=environ.get("PATH", ""))
        return Installed(Path(found), VERSION) if found else None

    def relies_on(self, installed: Installed, environ: Mapping[str, str]) -> tuple[Relied, ...]:
        return relied(environ, {"python3": "install Python"})

    def login(self, environ: Mapping[str, str]) -> Login:
        return Login(LoginState.NOT_NEEDED, "a toy belongs to everybody")

    def hosts(self, environ: Mapping[str, str]) -> tuple[str, ...]:
        return named_by(environ, ("TOY_URL",)) or https("toys.example")

    def headless(self, launch: Launch) -> Command:
        return self._command(launch, ("run", "--stream"), launch.prompt)

    def interactive(self, launch: Launch) -> Command:
        return self._command(launch, ("run",), "")

    def find_session(self, launch: Launch, since: float) -> str:
        file = launch.directory / self.private_home / "records" / f"{launch.cli_session}.toy"
        return launch.cli_session if file.exists() else ""

    def redirect(self, url: str, home: Path) -> Redirect:
        return Redirect({"HOME": str(home), URL: url})

    def reader(self) -> ToyReader:
        return ToyReader()

    def _command(self, launch: Launch, options: Sequence[str], prompt: str) -> Command:
        how = "--resume" if launch.resume else "--session"
        model = ("--model", launch.model) if launch.model else ()
        home = launch.directory / self.private_home
        briefing = {home / "briefing.md": launch.briefing} if launch.briefing else {}
        return Command(
            argv=(str(launch.installed.path), *options, how, launch.cli_session, *model),
            env={**launch.environ, HOME: str(home)},
            stdin=prompt,
            files=briefing,
        )


AGENT = ToyAgent()
