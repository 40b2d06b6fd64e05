"""A person at a terminal: a program on a pseudo-terminal, what it shows, keys that are typed."""

import os
import pty
import re
import select
import signal
import subprocess
import termios
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Self, TypeAlias

from abreast.agents.base import Command
from abreast.process.files import materialise
from abreast.process.tree import MARKER, descendants, marked, send, sweep
from tests.support.deadlines import SECONDS

Condition: TypeAlias = str | Callable[[], object]
"""A text on the screen, or a function that is true at some time."""

# Programs ask where the cursor is and what the terminal can do, and some wait for the answer.
_ANSWERS = {b"\x1b[6n": b"\x1b[1;1R", b"\x1b[c": b"\x1b[?1;2c", b"\x1b[>0q": b"\x1bP>|test\x1b\\"}
_QUESTION = re.compile(b"|".join(map(re.escape, _ANSWERS)))
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

    def until(self, condition: Condition) -> None:
        """Watch until a text has been shown, or a condition is true."""
        end = time.monotonic() + SECONDS
        while not self._holds(condition):
            assert time.monotonic() < end, f"never: {condition!r}; on the screen: {self.text}"
            self._look()

    def calm(self, seconds: float = 1.0) -> None:
        """Watch until nothing new has been shown for so long."""
        end = time.monotonic() + SECONDS
        since, size = time.monotonic(), len(self.shown)
        while time.monotonic() < since + seconds:
            assert time.monotonic() < end, f"never calm; on the screen: {self.text}"
            self._look()
            if len(self.shown) != size:
                since, size = time.monotonic(), len(self.shown)

    def type(self, text: str) -> None:
        """Type `text` and watch until it is shown; what was shown before no longer counts."""
        self.press(text, text, every=5.0)

    def press(self, key: str, until: Condition, *, every: float = 1.5) -> None:
        """Press a key, again after `every` seconds, until a text is shown or a condition is true.

        Programs drop keys that come before they listen, and take a fast Enter for pasted text.
        """
        self.shown = b""
        end = time.monotonic() + SECONDS
        while not self._holds(until):
            assert time.monotonic() < end, f"never: {until!r}; on the screen: {self.text}"
            os.write(self._ours, key.encode())
            pause = time.monotonic() + every
            while not self._holds(until) and time.monotonic() < pause:
                self._look()

    def ended(self) -> int:
        """Watch until the program has ended; return its exit code."""
        self.until(lambda: self.process.poll() is not None)
        return self.process.wait()

    def _holds(self, condition: Condition) -> bool:
        if isinstance(condition, str):
            return "".join(condition.split()) in self.text
        return bool(condition())

    def _look(self) -> None:
        if not select.select([self._ours], [], [], 0.05)[0]:
            return
        try:
            new = os.read(self._ours, 65536)
        except OSError:  # the other end is closed
            time.sleep(0.01)
            return
        self.shown += new
        for question in _QUESTION.findall(new):
            os.write(self._ours, _ANSWERS[question])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            below = descendants(self.process.pid)  # abreast gives its CLI an environment of its own
            self.process.kill()
            send(below, signal.SIGKILL)
        sweep(self.marker)
        self.process.wait()
        os.close(self._ours)
        assert marked(self.marker) == []
