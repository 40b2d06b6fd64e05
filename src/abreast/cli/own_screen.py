"""A terminal with a live view: keys change nothing there, and however it ends it is as before.

The view has a screen of its own (the terminal's alternate one), so that a terminal which is resized
leaves no debris: lines that have been shown are wrapped anew by the terminal, and no program can
find them again. Keys are not echoed; what was typed is dropped when the view ends, instead of being
read by the shell. Ctrl-C and Ctrl-Z mean what they always do.
"""

import contextlib
import os
import signal
import termios
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

from rich.console import Console, RenderableType
from rich.live import Live

_REDRAWS = 4  # a second

_LOCAL = 3  # where termios keeps the flags for keys


class _EndedError(BaseException):
    """The process was asked to end by a signal."""


def is_ours(console: Console) -> bool:
    """Return whether a console is a terminal that can be drawn on, and this process has its keys.

    One that was started in the background must not touch it: it would be stopped.
    """
    if not console.is_terminal or console.is_dumb_terminal:
        return False
    descriptor = _descriptor(console)
    return descriptor is None or _in_front(descriptor)


@contextlib.contextmanager
def drawn(console: Console, render: Callable[[], RenderableType]) -> Iterator[Callable[[], None]]:
    """Show what `render` returns, again and again, for as long as the block lasts.

    Yields what shows it at once.
    """
    live = Live(
        get_renderable=render,
        console=console,
        refresh_per_second=_REDRAWS,
        screen=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
    deaf = _deaf(_descriptor(console))
    with _ended_by_signals(), deaf as deafen, live, _stopped_by_ctrl_z(live, deafen):
        yield live.refresh


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let the block clean up when the process is asked to end; then it ends by that signal."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    ended: list[int] = []

    def end(number: int, _frame: FrameType | None) -> None:
        ended.append(number)
        raise _EndedError

    before = {one: signal.signal(one, end) for one in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if ended:  # also where cleaning up has failed, because the terminal is gone
            signal.signal(ended[0], signal.SIG_DFL)
            os.kill(os.getpid(), ended[0])


@contextlib.contextmanager
def _stopped_by_ctrl_z(live: Live, deafen: Callable[[bool], None]) -> Iterator[None]:
    """Give the terminal back while the process is stopped, and take it again afterwards."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def pause(_number: int, _frame: FrameType | None) -> None:
        live.stop()
        deafen(False)
        os.kill(os.getpid(), signal.SIGSTOP)
        descriptor = _descriptor(live.console)
        if descriptor is None or _in_front(descriptor):  # and not by `bg`
            deafen(True)
            live.start()

    before = signal.signal(signal.SIGTSTP, pause)
    try:
        yield
    finally:
        signal.signal(signal.SIGTSTP, before)


@contextlib.contextmanager
def _deaf(descriptor: int | None) -> Iterator[Callable[[bool], None]]:
    """Yield what makes a terminal drop its keys, or listen again; until the end it drops them."""
    before = None if descriptor is None else termios.tcgetattr(descriptor)

    def deafen(deaf: bool) -> None:
        if before is None or descriptor is None or not _in_front(descriptor):
            return
        mode: list[Any] = [*before]
        if deaf:
            mode[_LOCAL] &= ~(termios.ECHO | termios.ICANON)
        with contextlib.suppress(termios.error):  # it is gone
            # What was typed until now is dropped.
            termios.tcsetattr(descriptor, termios.TCSAFLUSH, mode)

    deafen(True)
    try:
        yield deafen
    finally:
        deafen(False)


def _descriptor(console: Console) -> int | None:
    """Return the terminal that a console draws on; None where it only claims to be one."""
    try:
        number = console.file.fileno()
    except (OSError, ValueError):
        return None
    return number if os.isatty(number) else None


def _in_front(descriptor: int) -> bool:
    """Return whether this process is in the terminal's foreground; True without job control."""
    try:
        return os.tcgetpgrp(descriptor) == os.getpgrp()
    except OSError:
        return True
