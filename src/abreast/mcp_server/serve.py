"""`abreast mcp`: the delegation tools over standard input and output, until the client leaves.

The first messages are answered without the SDK. Its import takes a second of processor time, which
most sessions need not pay, as they call no tool; and it takes longer than Codex waits for a server
before it goes on without the tools. The handshake and the list of tools are always the same. The
first message that asks for more loads the SDK, which gets the handshake afterwards, and every
message from then on.
"""

import gc
import json
import os
import signal
from collections.abc import Callable
from types import FrameType
from typing import Any

import abreast
from abreast.mcp_server import words
from abreast.mcp_server.wire import Wire, narrate
from abreast.mcp_server.words import NAME
from abreast.process.environment import DEPTH

# An `initialize` of another version is the SDK's to negotiate.
VERSIONS = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")


class Opening:
    """Answers the first messages, until one asks for what only the SDK can do."""

    def __init__(self, wire: Wire, instructions: str, tools: list[dict[str, Any]]) -> None:
        self._wire, self._instructions, self._tools = wire, instructions, tools
        self._kept: list[str] = []  # for the SDK
        self._begun = False

    def run(self) -> bool:
        """Answer what we can, then leave the rest to the SDK.

        Returns False when the client has gone before it asked for more.
        """
        while line := self._wire.readline():
            if not self._answered(line):
                self._wire.unread([*self._kept, line])
                self._wire.drop(int(self._begun))
                return True
        return False

    def _answered(self, line: str) -> bool:
        """Answer a message; False when it, and thereby all that follow, is the SDK's."""
        try:
            message = json.loads(line)
            method, number = message["method"], message.get("id")
        except (ValueError, TypeError, KeyError, AttributeError):
            return False
        if not self._begun:
            return method == "initialize" and self._begin(line, message)
        if method == "notifications/initialized":
            self._kept.append(line)
        elif method == "ping":
            self._reply(number, {})
        elif method == "tools/list" and number is not None:
            self._reply(number, {"tools": self._tools})
        else:
            return False
        return True

    def _begin(self, line: str, message: dict[str, Any]) -> bool:
        given = message.get("params")
        if not isinstance(given, dict) or not {"capabilities", "clientInfo"} <= {*given}:
            return False
        version = given.get("protocolVersion")
        if version not in VERSIONS:
            return False
        result = {
            "protocolVersion": version,
            "capabilities": {"tools": {"listChanged": False}},
            "serverInfo": {"name": NAME, "version": abreast.__version__},
        }
        if self._instructions:
            result["instructions"] = self._instructions
        self._reply(message.get("id"), result)
        self._kept.append(line)
        self._begun = True
        return True

    def _reply(self, number: object, result: dict[str, Any]) -> None:
        reply = {"jsonrpc": "2.0", "id": number, "result": result}
        self._wire.write(json.dumps(reply, ensure_ascii=False, separators=(",", ":")) + "\n")


_INTERRUPTED = 130


def serve() -> int:
    """Serve until the client leaves or a signal arrives; children keep running."""
    wire, interrupted = Wire(), False

    def leave(number: int, _frame: FrameType | None) -> None:
        nonlocal interrupted
        interrupted = interrupted or number == signal.SIGINT
        wire.close()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, leave)
    child = bool(os.environ.get(DEPTH))
    if child:
        narrate("a child cannot delegate: it gets no tools")
    tools = [] if child else list(words.TOOLS)
    instructions = "" if child else words.INSTRUCTIONS
    if Opening(wire, instructions, tools).run():
        _load()(wire, instructions, tools)
    return _INTERRUPTED if interrupted else 0


def _load() -> Callable[[Wire, str, list[dict[str, Any]]], None]:
    """Import the SDK's side; its objects stay to the end, so the garbage collector skips them.

    That saves a quarter of the time, half of it when the interpreter ends.
    """
    gc.disable()
    from abreast.mcp_server.desk import speak

    gc.freeze()
    gc.enable()
    return speak
