"""What the board takes while many sessions change, in a terminal, as its user has it."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import threading
import time
from pathlib import Path

import psutil

from abreast.engine.common.worker_process import announce_worker
from abreast.model.session import LandMode, Run, RunState, Session, SessionState
from abreast.places import Places
from abreast.store.engine import make_engine
from abreast.store.migrations import migrate
from abreast.store.rows import SessionUpdate
from abreast.store.writer import Store
from benchmarks.measure import median
from benchmarks.report import Aim, Section, Table, say

TEXT = """\
`abreast ui` in a terminal of 120 by 40, over a database of 1,000 sessions of which 32 change each
second, written as a worker writes them. Processor time is the board's own, the reading included.
A key is pressed five times a second; its time ends when the terminal has been sent the line of the
session that the cursor has come to. The start is from the program's to the first session shown, the
median of all starts."""

SESSIONS, RUNS, A_SECOND = 1_000, 10, 32


class Terminal:
    """The board on a terminal of its own, and what that is sent."""

    def __init__(self, places: Places) -> None:
        self._ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (40, 120))
        env = {**os.environ, "ABREAST_STATE_DIR": str(places.state), "TERM": "xterm-256color"}
        self.began = time.perf_counter()
        argv = (sys.executable, "-m", "abreast", "ui")
        self.process = subprocess.Popen(
            argv, stdin=theirs, stdout=theirs, stderr=theirs, env=env, start_new_session=True
        )
        os.close(theirs)

    def until(self, wanted: "re.Pattern[bytes]", seconds: float = 30.0) -> float:
        """Read until the terminal has been sent this; return the seconds that took."""
        began, sent = time.perf_counter(), b""
        while not wanted.search(sent):
            if time.perf_counter() > began + seconds:
                raise TimeoutError(f"never {wanted.pattern!r} in {sent[-500:]!r}")
            sent += self.read(0.5)
        return time.perf_counter() - began

    def read(self, seconds: float) -> bytes:
        """Return what is sent next, within so many seconds."""
        return (
            os.read(self._ours, 65536) if select.select([self._ours], [], [], seconds)[0] else b""
        )

    def press(self, key: str) -> None:
        os.write(self._ours, key.encode())

    def end(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self._ours)


def measure(ground: Path, *, quick: bool) -> Section:
    section = Section("The board", TEXT)
    places = Places(ground / "state", f"sqlite:///{ground / 'state' / 'abreast.db'}").make()
    engine = make_engine(places.database)
    migrate(engine)
    store = Store(engine)
    names = _fill(store, str(ground))
    announce_worker(places)  # this process stands for it: it writes
    starts = [_start(places) for _ in range(2 if quick else 7)]
    over, written = threading.Event(), threading.Thread(target=lambda: _write(store, names, over))
    board = Terminal(places)
    board.until(re.compile(rb"task-\d+"))
    written.start()
    try:
        found = _watched(board, 8.0 if quick else 30.0)
    finally:
        over.set()
        written.join()
        board.end()
        engine.dispose()
    share, keys, memory = found
    start, key = 1000 * median(starts), 1000 * sorted(keys)[int(0.99 * len(keys))]
    head = ("sessions", "changes a second", "of one core", "key, median ms", "p99 ms", "start, ms")
    row = (
        f"{SESSIONS:,}",
        f"{A_SECOND}",
        f"{share:.1%}",
        f"{1000 * median(keys):.0f}",
        f"{key:.0f}",
        f"{start:.0f}",
    )
    section.tables.append(Table((*head, "memory, MB"), [(*row, f"{memory:.0f}")]))
    section.aims += [
        Aim("at most 5 % of one core", f"{share:.1%}", share <= 0.05),
        Aim("a key shows within 50 ms (p99)", f"{key:.0f} ms", key <= 50),
        Aim("it starts within 500 ms", f"{start:.0f} ms", start <= 500),
        Aim("at most 120 MB of memory", f"{memory:.0f} MB", memory <= 120),
    ]
    say(f"board: {share:.1%} of a core, key {key:.0f} ms, start {start:.0f} ms, {memory:.0f} MB")
    return section


def _fill(store: Store, folder: str) -> list[str]:
    """Record runs of sessions, half of them at work; return the names of these."""
    at_work = []
    for number in range(RUNS):
        run = f"run{number}"
        own = range(number, SESSIONS, RUNS)
        sessions = tuple(
            Session(
                f"{run}/task-{n:04}",
                run,
                f"task-{n:04}",
                "scripted",
                SessionState.RUNNING if n % 20 < RUNS else SessionState.FAILED,
                produces=f"The part {n} is there.",
                started=time.time(),
            )
            for n in own
        )
        at_work += [one.id for one in sessions if one.state is SessionState.RUNNING]
        state = RunState.RUNNING
        made = Run(run, folder, "main", "0" * 40, "main", state, LandMode.NONE, time.time())
        store.add_run(_with(made, sessions), "{}")
    return at_work


def _with(run: Run, sessions: tuple[Session, ...]) -> Run:
    from dataclasses import replace

    return replace(run, sessions=sessions)


def _start(places: Places) -> float:
    board = Terminal(places)
    try:
        board.until(re.compile(rb"task-\d+"))
        return time.perf_counter() - board.began
    finally:
        board.end()


def _write(store: Store, names: list[str], over: threading.Event) -> None:
    """Let 32 sessions do something else each second."""
    number = 0
    while not over.wait(1 / A_SECOND):
        name = names[(number * 37) % len(names)]
        store.update_session(name, SessionUpdate(last_action=f"edit file{number}.py"))
        number += 1


def _watched(board: Terminal, seconds: float) -> tuple[float, list[float], float]:
    """Return the share of a core, the seconds that each key took, and megabytes of memory."""
    process = psutil.Process(board.process.pid)
    _quiet(board, 10.0)  # what is loaded behind the first picture is loaded
    keys: list[float] = []
    cpu, began = sum(process.cpu_times()[:2]), time.perf_counter()
    while time.perf_counter() < began + seconds:
        board.press("j")
        keys.append(board.until(re.compile(rb"\x1b\[(?:[0-9]+;)*7m")))
        _quiet(board, 0.2)
    wall = time.perf_counter() - began
    return (sum(process.cpu_times()[:2]) - cpu) / wall, keys, process.memory_info().rss / 1e6


def _quiet(board: Terminal, seconds: float) -> None:
    end = time.perf_counter() + seconds
    while (left := end - time.perf_counter()) > 0:
        board.read(left)
