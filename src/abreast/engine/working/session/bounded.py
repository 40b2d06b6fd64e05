"""Work that the worker does itself: in a thread, for a bounded time, and until somebody stops it.

A thread cannot be ended, but nobody has to wait for it. One that hangs (a file system that is away,
a git that waits) is left to itself; the session ends, and the worker goes on. What it may still do
is safe to repeat, as every stage is.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import TypeVar

from abreast.errors import AbreastError

LONGEST = (
    3600.0  # seconds for one stage; a check-out that fetches large files may take many minutes
)
GRACE = 10.0  # seconds that a stage has left once its session is to stop; mostly it takes less
_LOOK = 0.5  # seconds between looks at the stop file


T = TypeVar("T")


class StageError(AbreastError):
    """A stage was left to itself: it took too long, or its session was `stopped`."""

    def __init__(self, message: str, *, stopped: bool, hint: str | None = None) -> None:
        self.stopped = stopped
        super().__init__(message, hint=hint)


async def bounded(
    work: Callable[[], T],
    stop_file: Path | None = None,
    *,
    longest: float = LONGEST,
    grace: float = GRACE,
) -> T:
    """Run `work` in a thread of its own and return what it returns, or raise what it raises.

    Raises StageError after `longest` seconds, or `grace` seconds after `stop_file` appeared: then
    the thread is left to itself. It does not keep the process from ending.
    """
    outcome: Future[T] = Future()
    outcome.set_running_or_notify_cancel()

    def run() -> None:
        try:
            outcome.set_result(work())
        except BaseException as error:  # noqa: BLE001 - whoever waits gets it
            outcome.set_exception(error)

    threading.Thread(target=run, daemon=True, name="stage").start()
    future = asyncio.wrap_future(outcome)
    began, stopped = time.monotonic(), None
    while True:
        await asyncio.wait({future}, timeout=_LOOK)
        if future.done():
            return future.result()
        now = time.monotonic()
        if stopped is None and _is_there(stop_file):
            stopped = now
        if stopped is not None and now - stopped > grace:
            future.cancel()
            raise StageError("it was stopped while abreast worked on it", stopped=True)
        if now - began > longest:
            future.cancel()
            raise StageError(
                f"abreast worked on it for {longest / 60:.0f} minutes without finishing",
                stopped=False,
                hint="check the disk, and the git commands in its worktree with `abreast doctor`",
            )


def _is_there(file: Path | None) -> bool:
    return file is not None and file.exists()
