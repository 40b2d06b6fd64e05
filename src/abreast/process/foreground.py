"""Run a program in the user's own terminal."""

import contextlib
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from abreast.errors import CommandError


def run_foreground(argv: Sequence[str], *, cwd: Path, env: Mapping[str, str]) -> int:
    """Run `argv` with our terminal and wait for it; return its exit code (negative: the signal).

    Keys such as Ctrl-C and a closed terminal are the program's business: we outlive them. SIGTERM
    is passed on. The terminal's settings are restored afterwards. Main thread only.

    Raises `CommandError` when the program cannot be started.
    """
    with _kept_terminal(), _kept_signals() as pass_on:
        try:
            child = subprocess.Popen(argv, cwd=cwd, env=dict(env))
        except OSError as failure:
            raise CommandError(argv, None, stderr=str(failure), cwd=str(cwd)) from failure
        pass_on.append(child)
        return child.wait()


@contextlib.contextmanager
def _kept_signals() -> Iterator[list[subprocess.Popen[bytes]]]:
    children: list[subprocess.Popen[bytes]] = []

    def wait_on(_number: int, _frame: FrameType | None) -> None:
        """Do nothing. A handler, not SIG_IGN: the child would inherit that."""

    def pass_on(number: int, _frame: FrameType | None) -> None:
        for child in children:
            child.send_signal(number)

    handlers = {
        signal.SIGINT: wait_on,
        signal.SIGQUIT: wait_on,
        signal.SIGHUP: wait_on,
        signal.SIGTERM: pass_on,
    }
    before: dict[signal.Signals, Any] = {n: signal.signal(n, h) for n, h in handlers.items()}
    try:
        yield children
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _kept_terminal() -> Iterator[None]:
    """Put the terminal back as it was: a CLI that crashes leaves it raw and without echo."""
    try:
        settings = termios.tcgetattr(sys.stdin)
    except (termios.error, ValueError, OSError):  # no terminal, or no standard input at all
        yield
        return
    try:
        yield
    finally:
        with contextlib.suppress(termios.error):  # it has been closed meanwhile
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, settings)
