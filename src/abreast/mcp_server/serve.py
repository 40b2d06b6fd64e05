"""`abreast mcp`: the delegation tools over standard input and output, until the client leaves."""

import os
import signal
from types import FrameType

from abreast.mcp_server import words
from abreast.mcp_server.opening import Opening
from abreast.mcp_server.wire import Wire, narrate
from abreast.process.environment import DEPTH

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
    if Opening(wire, instructions, tools).run(_load):
        from abreast.mcp_server.speaking import speak

        speak(wire, instructions, tools)
    return _INTERRUPTED if interrupted else 0


def _load() -> None:
    import abreast.mcp_server.speaking  # noqa: F401 (this is the import that takes its time)
