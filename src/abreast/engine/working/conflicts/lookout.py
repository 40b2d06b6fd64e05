"""When to look for conflicts: after turns, after endings, and when somebody has moved a target.

A thread for each repository, off the event loop. However many turns end at once, one look is taken;
and the next only after a pause that keeps looking at a twentieth of a processor.
"""

import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from abreast.errors import StoreError
from abreast.process import clock

SHARE = 0.05
"""Of one processor, at most, that looks at one repository take on average."""
GATHER = 0.2  # seconds: turns that end together are looked at together
POLL = 5.0  # seconds between looks at where the targets are, a few `stat` calls
IDLE_POLL = 60.0  # seconds, while no session is at work
_LEAVING = 5.0  # seconds for looks under way when the worker ends


class Outlooking(Protocol):
    """What is known of one repository, and how it is looked at."""

    def look(self, turned: Sequence[str]) -> None:
        """Look for conflicts; work was done in the sessions `turned` since the last look."""

    def moved(self) -> bool:
        """Return whether one of its targets may have moved since the last look."""

    def pause(self) -> float | None:
        """Return the seconds until its targets are looked at again; None: it is gone."""


class Lookout:
    """Takes looks at repositories in the background. Until `begin`, nothing is heard."""

    def __init__(self) -> None:
        self._open: Callable[[str], Outlooking] | None = None
        self._watches: dict[str, _Watch] = {}
        self._seen: dict[str, int] = {}  # turns with tool calls, by session
        self._lock = threading.Lock()
        self._over = threading.Event()

    def begin(self, open_repository: Callable[[str], Outlooking]) -> None:
        """Look from now on; `open_repository` is given the shared folder of a repository."""
        self._open = open_repository

    def turned(self, common_dir: str, session: str, worked: int) -> None:
        """Hear that a session has ended `worked` turns in which it called tools."""
        if worked and self._seen.get(session) != worked:
            self._seen[session] = worked
            self._hear(common_dir, session)

    def changed(self, common_dir: str, session: str = "") -> None:
        """Hear that sessions of a repository are no longer what they were: `session` has ended."""
        self._seen.pop(session, None)
        self._hear(common_dir)

    def _hear(self, common_dir: str, *turned: str) -> None:
        if self._open is None or self._over.is_set():
            return
        with self._lock:
            watch = self._watches.get(common_dir)
            if watch is None or not watch.is_alive():
                watch = self._watches[common_dir] = _Watch(
                    common_dir, self._open(common_dir), self._over
                )
                watch.start()
        watch.hear(turned)

    def close(self) -> None:
        """Take no more looks, and wait a little for those under way."""
        self._over.set()
        with self._lock:
            watches = list(self._watches.values())
        late = clock.awake() + _LEAVING
        for watch in watches:
            watch.hear(())
            watch.join(max(0.0, late - clock.awake()))


def _cpu() -> float:
    """Return the processor time of this thread and of all processes that have ended, in seconds."""
    times = os.times()
    return time.thread_time() + times.children_user + times.children_system


class _Watch(threading.Thread):
    """Looks at one repository whenever something was heard of it."""

    def __init__(self, name: str, outlook: Outlooking, over: threading.Event) -> None:
        super().__init__(daemon=True, name=f"conflicts {name}")
        self._outlook, self._over = outlook, over
        self._heard = threading.Event()
        self._turned: set[str] = set()
        self._lock = threading.Lock()
        self._said = ""

    def hear(self, turned: Sequence[str]) -> None:
        with self._lock:
            self._turned.update(turned)
        self._heard.set()

    def run(self) -> None:
        while not self._over.is_set():
            pause = self._outlook.pause()
            if not self._heard.wait(pause or 0.0):
                if pause is None:
                    return
                if not self._outlook.moved():
                    continue
            self._over.wait(GATHER)
            self._heard.clear()
            began, cpu = clock.awake(), _cpu()
            self._look()
            took = clock.awake() - began
            # Merges run on several processors. Others' processes may have ended meanwhile, but not
            # more than there is room for.
            used = max(took, min(_cpu() - cpu, took * (os.cpu_count() or 1)))
            self._over.wait(used / SHARE - took)

    def _look(self) -> None:
        with self._lock:
            turned, self._turned = self._turned, set()
        if self._over.is_set():
            return
        try:
            self._outlook.look(sorted(turned))
            said = ""
        except Exception as error:  # noqa: BLE001 - no look may cost a session anything
            said = f"{self.name} were not looked at: {error!r}\n"
            if isinstance(error, StoreError):  # it will be back
                self._heard.set()
                self._over.wait(POLL)
        if said != self._said:
            self._said = said
            sys.stderr.write(said)
