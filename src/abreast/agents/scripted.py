"""The built-in agent `scripted`: plays the moves of its task, for demos and tests."""

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
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
    StopSignal,
    StreamReader,
)
from abreast.agents.lines import load_line
from abreast.errors import AgentError
from abreast.model.cause import Cause
from abreast.model.events import Event, EventKind, Outcome, Verdict
from abreast.model.moves import (
    Edit,
    EndTurn,
    Fail,
    Read,
    Say,
    Shell,
    Sleep,
    Spend,
    Write,
    dump_moves,
)
from abreast.model.usage import Usage

_PLAYER = Path(__file__).with_name("scripted_player.py")
_PLAYED = (Say, EndTurn, Write, Edit, Read, Shell, Sleep, Fail, Spend)


class ScriptedAgent(Agent):
    """Plays `choice.moves` with the Python that runs abreast; no model, no network, no login."""

    name = "scripted"
    title = "Scripted (built in)"
    co_author = "Scripted <scripted@localhost>"
    capabilities = Capabilities(resume=True, interactive=True, usage=True)
    install_hint = "it is part of abreast"

    def find(self, environ: Mapping[str, str]) -> Installed | None:  # noqa: ARG002
        return Installed(Path(sys.executable), "built in")

    def login(self, environ: Mapping[str, str]) -> Login:  # noqa: ARG002
        return Login(LoginState.NOT_NEEDED, "built in")

    def headless(self, launch: Launch) -> Command:
        return self._command(launch)

    def interactive(self, launch: Launch) -> Command:
        return replace(self._command(launch, "--terminal"), stdin="")

    def find_session(self, launch: Launch, since: float) -> str:  # noqa: ARG002
        return launch.cli_session

    def reader(self) -> "ScriptedReader":
        return ScriptedReader()

    def _command(self, launch: Launch, *options: str) -> Command:
        """Raises `AgentError` when a move only makes sense between a CLI and its model."""
        foreign = [move for move in launch.choice.moves if not isinstance(move, _PLAYED)]
        if foreign:
            raise AgentError(
                f"the scripted agent cannot play {type(foreign[0]).__name__}: "
                "only the loopback server can",
                hint="give this move to a real CLI through a scenario of the loopback server",
            )
        file = launch.directory / "script.json"
        script = {
            "session": launch.cli_session,
            "moves": dump_moves(launch.choice.moves),
            "progress": str(launch.directory / "script.progress"),
            "resume": launch.resume,
        }
        return Command(
            # -I -S: nothing of the user's Python set-up, and half the start-up time.
            argv=(str(launch.installed.path), "-I", "-S", str(_PLAYER), str(file), *options),
            env=dict(launch.environ),
            stdin=launch.prompt,
            files={file: json.dumps(script)},
            stop_signal=StopSignal.TERM,
        )


class ScriptedReader(StreamReader):
    """Reads the player's lines."""

    def __init__(self) -> None:
        self.skipped = 0
        self._session: str | None = None
        self._usage = Usage()
        self._denials: list[str] = []
        self._turns = 0
        self._start_up: int | None = None
        self._said = ""
        self._result: tuple[bool, str] | None = None

    def feed(self, line: bytes) -> Iterable[Event]:
        try:
            return self._read(load_line(line))
        except (ValueError, TypeError, KeyError):
            self.skipped += 1
            return ()

    def verdict(self, code: int | None, stderr: str) -> Verdict:
        outcome, reason = self._judge(code, stderr)
        cause = Cause.NONE if outcome is Outcome.OK else Cause.OTHER
        return Verdict(
            outcome,
            reason,
            cause=cause,
            final_message=self._said,
            cli_session=self._session,
            usage=self._usage,
            denials=tuple(self._denials),
            turns=self._turns,
            start_up=self._start_up,
        )

    def _judge(self, code: int | None, stderr: str) -> tuple[Outcome, str]:
        if self._result is None:
            said = f": {stderr.strip()[-500:]}" if stderr.strip() else ""
            return Outcome.UNKNOWN, f"the script ended without a result (exit code {code}){said}"
        ok, text = self._result
        if not ok:
            return Outcome.FAILED, text
        if self._denials:
            return Outcome.BLOCKED, self._denials[0]
        if code:
            return Outcome.FAILED, f"exit code {code} after the result"
        return Outcome.OK, ""

    def _read(self, fields: dict[str, Any]) -> Iterable[Event]:
        kind, text = fields["type"], str(fields.get("text", ""))
        usage = self._total(fields.get("usage"))
        if kind == "started":
            self._session = str(fields["session"])
            return (Event(EventKind.STARTED, self._session),)
        if kind == "say":
            self._said = text
            return (Event(EventKind.TEXT, text),)
        if kind == "tool":
            self._turns += 1
            files = tuple(str(name) for name in fields["files"])
            return (Event(EventKind.TOOL, text, files, turns=1, usage=usage),)
        if kind == "tool_done":
            return (Event(EventKind.TOOL_DONE, text, failed=bool(fields["failed"])),)
        if kind == "denied":
            self._denials.append(text)
            return (Event(EventKind.DENIED, text),)
        if kind == "result":
            ok = bool(fields["ok"])
            self._turns += 1
            self._result = ok, text
            self._said = text if ok else ""
            return (Event(EventKind.RESULT, text, failed=not ok, turns=1, usage=usage),)
        raise ValueError(f"unknown type {kind!r}")

    def _total(self, stated: Mapping[str, int] | None) -> Usage | None:
        if stated is None:
            return None
        numbers = (stated[name] for name in ("input", "cached", "output"))
        read, cached, wrote = (n if type(n) is int else None for n in numbers)
        self._start_up = read if self._start_up is None else self._start_up
        self._usage = Usage(read, cached, wrote, None, "stream")
        return self._usage


AGENT = ScriptedAgent()
