"""A thousand sessions in one run: sessions per second, and how fast `status` stays."""

import os
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.deadlines import SECONDS

from abreast import api
from abreast.engine.client.requests import connect
from abreast.engine.client.watching import wait
from abreast.model.limits import Limits
from abreast.model.moves import Say, Write
from abreast.model.session import Run, SessionState
from abreast.model.task import AgentChoice, Plan, Task
from benchmarks.ground import make_repository
from benchmarks.installation import ABREAST, Installation, installation
from benchmarks.measure import Cost, ms, percentile
from benchmarks.report import Aim, Section, Table, say

TEXT = """\
One run of many sessions of the `scripted` agent (a Python process that writes one file), all
queued at once, eight running at a time. Meanwhile `abreast status` runs again and again as a
process of its own, competing with the sessions for the cores, and `api.runs()` reads the same
data inside one process. Every session must end done."""

AT_ONCE = 8
SESSIONS_A_SECOND = 5.0
STATUS = 0.200


@dataclass
class Looks:
    """How long looking took while the sessions ran, in seconds."""

    process: list[float] = field(default_factory=list)
    library: list[float] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)


def measure(ground: Path, *, quick: bool) -> Section:
    count = 100 if quick else 1000
    section = Section("Queue", TEXT)
    repo = make_repository(ground / "repo", 200)
    with installation(ground / "state", repo) as ours:
        say(f"queued: {count} sessions")
        run, cost, looks = _run(ours, repo, count)
    undone = [s.id for s in run.sessions if s.state is not SessionState.DONE]
    if undone:
        raise RuntimeError(f"{len(undone)} sessions are not done, such as {undone[:3]}")
    rate, p99 = count / cost.wall, percentile(looks.process, 0.99)
    rows = [
        ("sessions a second", f"{rate:.1f}"),
        ("CPU a session, ms (worker, runners, agents, gits)", ms(cost.cpu / count)),
        ("resident memory of the worker, most, MiB", f"{max(looks.memory) / 2**20:.0f}"),
        *_latency(f"`abreast status` ({len(looks.process)} times)", looks.process),
        *_latency(f"`api.runs()` ({len(looks.library)} times)", looks.library),
    ]
    section.tables.append(Table((f"{count:,} sessions", ""), rows))
    section.aims += [
        Aim(
            f"at least {SESSIONS_A_SECOND:g} sessions a second on two cores",
            f"{rate:.1f}",
            rate >= SESSIONS_A_SECOND,
        ),
        Aim(f"`abreast status` p99 under {ms(STATUS)} ms", f"{ms(p99)} ms", p99 < STATUS),
    ]
    return section


def _latency(name: str, times: list[float]) -> list[tuple[str, str]]:
    shares = {"p50": 0.5, "p99": 0.99}
    return [(f"{name}, {word}, ms", ms(percentile(times, at))) for word, at in shares.items()]


def _run(ours: Installation, repo: Path, count: int) -> tuple[Run, Cost, Looks]:
    looks, ended = Looks(), threading.Event()
    watchers = [
        threading.Thread(target=_repeat, args=(look, pause, ended))
        for look, pause in (
            (lambda: looks.process.append(_time(_status)), 0.7),
            (lambda: looks.library.append(_time(api.runs)), 0.2),
            (lambda: looks.memory.append(ours.worker.memory_info().rss), 0.5),
        )
    ]
    burnt, began = ours.cpu(), time.perf_counter()
    with connect(ours.places) as client:
        run = client.start(_plan(repo, count), os.environ)
    for watcher in watchers:
        watcher.start()
    try:
        found = wait(run.id, ours.places, lambda _: None, timeout=4 * SECONDS)
    finally:
        ended.set()
        for watcher in watchers:
            watcher.join()
    wall = time.perf_counter() - began
    ours.settle()
    return found, Cost(wall, ours.cpu() - burnt), looks


def _repeat(look: Callable[[], None], pause: float, ended: threading.Event) -> None:
    while not ended.wait(pause):
        look()


def _time(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def _status() -> None:
    subprocess.run([ABREAST, "status"], stdout=subprocess.DEVNULL, check=True)


def _plan(repo: Path, count: int) -> Plan:
    limits = Limits(minutes=10, idle_minutes=5)
    tasks = tuple(
        Task(
            f"task-{number}",
            "Write the result.",
            f"Result {number} is there.",
            AgentChoice("scripted", moves=(Write("result.txt", "done\n"), Say("done"))),
            limits=limits,
        )
        for number in range(count)
    )
    return Plan(tasks, base="main", repo=str(repo), max_parallel=AT_ONCE)
