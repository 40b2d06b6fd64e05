"""A person at a terminal: a program on a pseudo-terminal, what it shows, keys that are typed."""

import os
import pty
import re
import select
import subprocess
import termios
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from abreast.agents.base import Command
from abreast.process.materialise import materialise
from abreast.process.tree import MARKER, marked, sweep

# Programs ask where the cursor is and what the terminal can do, and some wait for the answer.
_ANSWERS = {b"\x1b[6n": b"\x1b[1;1R", b"\x1b[c": b"\x1b[?1;2c", b"\x1b[>0q": b"\x1bP>|test\x1b\\"}
_ESCAPES = re.compile(rb"\x1b(\[[0-9;?<>=]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|P.*?\x1b\\|.)")


class AtTerminal:
    """Run `command` in `cwd` on a terminal of its own; leave nothing running at the end."""

    def __init__(self, command: Command, cwd: Path) -> None:
        materialise(command.files, command.links)
        self.marker = uuid.uuid4().hex
        self.shown = b""
        self._ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (50, 120))
        self.process = subprocess.Popen(
            command.argv,
            cwd=cwd,
            env={**command.env, MARKER: self.marker},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)

    @property
    def text(self) -> str:
        """All that was ever shown, without escapes and white space: words are set apart by both."""
        plain = _ESCAPES.sub(b"", self.shown)
        return "".join(plain.decode(errors="replace").split())

    def until(self, condition: str | Callable[[], object], deadline: float = 30.0) -> None:
        """Watch until a text has been shown, or a condition is true."""
        end = time.monotonic() + deadline
        wanted = "".join(condition.split()) if isinstance(condition, str) else None
        while not (wanted in self.text if wanted is not None else condition()):  # type: ignore[operator]
            assert time.monotonic() < end, f"never: {condition!r}; on the screen: {self.text}"
            self._look()

    def press(self, keys: str) -> None:
        """Press keys; Enter is a carriage return. What was shown before no longer counts."""
        self.shown = b""
        os.write(self._ours, keys.encode())

    def ended(self, deadline: float = 20.0) -> int:
        """Watch until the program has ended; return its exit code."""
        self.until(lambda: self.process.poll() is not None, deadline)
        return self.process.wait()

    def _look(self) -> None:
        if not select.select([self._ours], [], [], 0.05)[0]:
            return
        try:
            new = os.read(self._ours, 65536)
        except OSError:  # the other end is closed
            time.sleep(0.01)
            return
        self.shown += new
        for question, answer in _ANSWERS.items():
            if question in new:
                os.write(self._ours, answer)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        sweep(self.marker)
        self.process.wait()
        os.close(self._ours)
        assert marked(self.marker) == []
