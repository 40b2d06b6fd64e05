"""Many sessions, some of which meet a fault: what each is to come to, and what a worker takes.

A wave is a run. Its faults last until its sessions have ended; then they are cured, and `resume`
goes on with what is not done. So each kind of fault has two ends that are known beforehand.
"""

import contextlib
import random
import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from statistics import median

import psutil

from abreast import api
from abreast.engine.common.worker_process import ensure_worker
from abreast.model.hold import HoldKind
from abreast.model.limits import Limits
from abreast.model.moves import Say, Shell, Write
from abreast.model.session import LandMode, LandState, Run, RunState, Session, SessionState
from abreast.model.task import AgentChoice, Task
from abreast.runner.job import STREAM
from abreast.runner.order import FORK_SERVER
from tests.support.deadlines import SECONDS
from tests.support.stage import Stage, task

SHARE = 0.15  # of the sessions meet a fault
AT_ONCE = 32
WAVE = 100

CRASH, AGENT, RUNNER, HANG, GARBAGE, CONFLICT, RED, QUOTA = KINDS = (
    "the agent crashes",
    "the agent is killed (kill -9)",
    "the runner is killed (kill -9)",
    "the agent hangs",
    "the agent's stream is garbage",
    "two write the same file",
    "verify is red",
    "the quota is used up",
)
WORKER = "the worker is killed (kill -9)"

ENDS = {  # before the cure; after it all are done
    "": {SessionState.DONE},
    CRASH: {SessionState.UNKNOWN},
    AGENT: {SessionState.UNKNOWN},
    RUNNER: {SessionState.UNKNOWN},
    HANG: {SessionState.STOPPED},
    GARBAGE: {SessionState.DONE},
    CONFLICT: {SessionState.DONE},
    RED: {SessionState.FAILED},
    QUOTA: {SessionState.QUEUED},  # held up: its agent's queue is parked
}
AGAIN = {CRASH, AGENT, RUNNER, HANG, RED, QUOTA}
"""Those whose sessions need the cure."""


@dataclass(frozen=True)
class Look:
    """What the worker took when `ended` sessions had ended; bytes, but for the last two."""

    ended: int
    worker: int
    fork_server: int
    database: int
    descriptors: int
    threads: int


@dataclass
class Soak:
    """`count` sessions on a stage, with faults drawn from `seed`."""

    stage: Stage
    ground: Path  # a folder of its own, outside the repository
    home: Path
    count: int
    seed: int
    kills: int  # of workers, among the first tenth of the sessions
    met: Counter[str] = field(default_factory=Counter)
    looks: list[Look] = field(default_factory=list)

    @cached_property
    def faults(self) -> list[str]:
        """The fault of each session, or nothing."""
        drawn = random.Random(self.seed)  # noqa: S311 - repeatable on purpose
        each = (*KINDS, CONFLICT)  # which takes two
        faulty = max(len(each), round(self.count * SHARE))
        kinds = [each[number % len(each)] for number in range(faulty)]
        found = [""] * self.count
        places = drawn.sample(range(self.count), faulty)
        for place, kind in zip(places, kinds, strict=True):
            found[place] = kind
        return found

    def run(self) -> None:
        """Go through all waves, and check what each session has come to."""
        for first in range(0, self.count, WAVE):
            numbers = range(first, min(first + WAVE, self.count))
            self._wave(first, [(number, self.faults[number]) for number in numbers])

    def _wave(self, first: int, faults: Sequence[tuple[int, str]]) -> None:
        cured = self.ground / f"cured-{first}"
        tasks = [self._task(number, fault, cured) for number, fault in faults]
        self.met.update(fault for _, fault in faults if fault)
        named = {f"t{number}": fault for number, fault in faults}
        (self.home / "quota").touch()
        run = self.stage.start(*tasks, land=LandMode.MERGE, batch=16, max_parallel=AT_ONCE)
        ended = self._until_over(run.id, first, named)
        self._check(ended, named, cured=False)
        cured.touch()
        (self.home / "quota").unlink()
        if AGAIN & set(named.values()):
            api.resume(run.id, places=self.stage.places)
            ended = self._until_over(run.id, first, {})
        self._check(ended, named, cured=True)

    def _task(self, number: int, fault: str, cured: Path) -> Task:
        name, own = f"t{number}", f"begun-{number}"
        begun = self.ground / own
        limits, verify, path = Limits(minutes=SECONDS / 60, idle_minutes=0), "", f"{name}.txt"
        first: list[Shell] = []
        if fault == CRASH:
            first = [Shell(f"[ -e {cured} ] || kill -9 $PPID")]
        elif fault in {AGENT, RUNNER}:
            first = [Shell(f"touch {begun}; while [ ! -e {cured} ]; do sleep 0.1; done")]
        elif fault == HANG:
            first = [Shell(f"[ -e {cured} ] || sleep 86400")]
            limits = Limits(minutes=0.05, idle_minutes=0)
        elif fault == GARBAGE:
            first = [Shell("head -c 100000 /dev/urandom > /proc/$PPID/fd/1")]
        elif fault == CONFLICT:
            path = f"shared-{cured.name}.txt"
        elif fault == RED:
            verify = f"test -e {cured}"
        agent = AgentChoice(
            "metered" if fault == QUOTA else "scripted",
            moves=(Write(f"half/{name}.txt", "half\n"), *first, Write(path, name), Say("done")),
        )
        return task(name, agent, limits=limits, verify=verify)

    def _until_over(self, run: str, before: int, faults: dict[str, str]) -> Run:
        """Wait until a run has ended, while agents, runners and workers are killed."""
        victims = {name for name, fault in faults.items() if fault in {AGENT, RUNNER}}
        known, late = -1, time.monotonic() + SECONDS
        while True:
            found = api.find_run(run, places=self.stage.places)
            for name in sorted(victims):
                if (self.ground / f"begun-{name[1:]}").exists():
                    self._kill(f"{run}/{name}", faults[name])
                    victims.remove(name)
            ended = sum(session.state.final for session in found.sessions)
            held = sum(_is_held(session) for session in found.sessions) if faults else 0
            if faults and self.met[WORKER] < 10 * self.kills * (before + ended) / self.count:
                self._kill_worker()
            self._look(before + ended)
            if found.state.final or (held and held + ended == len(found.sessions)):
                return found
            if ended != known:
                known, late = ended, time.monotonic() + SECONDS
            assert time.monotonic() < late or found.state is RunState.LANDING, found
            time.sleep(0.3)

    def _kill(self, session: str, fault: str) -> None:
        if fault == RUNNER:
            self.stage.runner(session).kill()
            return
        for process in self.stage.marked(session):
            with contextlib.suppress(psutil.NoSuchProcess):
                if "scripted_player" in " ".join(process.cmdline()):
                    process.kill()

    def _kill_worker(self) -> None:
        if self.met[WORKER] < self.kills and self.stage.worker():
            self.stage.kill_worker()
            self.met[WORKER] += 1
            ensure_worker(self.stage.places)

    def _look(self, ended: int) -> None:
        worker = self.stage.worker()
        with contextlib.suppress(psutil.Error):
            if worker is None:
                return
            servers = [one for one in worker.children() if FORK_SERVER in one.cmdline()]
            look = Look(
                ended,
                worker.memory_info().rss,
                sum(one.memory_info().rss for one in servers),
                database_size(self.stage),
                worker.num_fds(),
                worker.num_threads(),
            )
            self.looks.append(look)

    def _check(self, run: Run, faults: dict[str, str], *, cured: bool) -> None:
        assert [session.task for session in run.sessions] == [*faults], "none is lost"
        commits = landed(self.stage)
        clashed: list[LandState] = []
        for session in run.sessions:
            fault = faults[session.task]
            over = run.state.final  # what is done lands at a run's end, so not before the cure
            states = {SessionState.DONE} if cured else ENDS[fault]
            assert session.state in states, (fault, session.id, session.state, session.reason)
            assert _is_held(session) == (fault == QUOTA and not cured), (session.id, session.held)
            assert commits[session.id] == (session.landing is LandState.LANDED), session.id
            if fault == CONFLICT:
                clashed.append(session.landing)
            else:
                done = over and session.state is SessionState.DONE
                assert (session.landing is LandState.LANDED) == done, (fault, session)
            starts = list(self._starts(session))
            assert set(starts) <= {0, 1}, (session.id, starts)
            most = 2 if cured and fault in AGAIN else 1
            least = 0 if fault == QUOTA and not cured else 1
            assert least <= sum(starts) <= most, (fault, session.id, starts)
        if run.state.final:
            assert set(clashed) <= {LandState.LANDED, LandState.BOUNCED}, clashed
            assert clashed.count(LandState.LANDED) == bool(clashed), clashed
        else:
            assert set(clashed) <= {LandState.NONE}, clashed

    def _starts(self, session: Session) -> Iterator[int]:
        """How often each attempt has started its agent."""
        for attempt in (self.stage.places.sessions / session.run / session.task).glob("[0-9]*"):
            stream = attempt / "agent" / STREAM
            yield len(_STARTED.findall(stream.read_bytes())) if stream.exists() else 0

    def figures(self) -> list[Look]:
        """Return what the worker took at each tenth of the sessions: medians of the looks by it."""
        reach = self.count // 20
        tenths = [number * self.count // 10 for number in range(1, 11)]
        return [
            _middle([one for one in self.looks if abs(one.ended - at) <= reach]) for at in tenths
        ]


_STARTED = re.compile(rb'^\{"type": "started"', re.MULTILINE)


def _is_held(session: Session) -> bool:
    """Return whether a session waits until its agent's quota is filled up again."""
    return session.held is not None and session.held.kind is HoldKind.QUOTA


def _middle(looks: Sequence[Look]) -> Look:
    names = ("ended", "worker", "fork_server", "database", "descriptors", "threads")
    return Look(*(int(median(getattr(one, name) for one in looks)) for name in names))


def landed(stage: Stage) -> Counter[str]:
    """How many commits of the target say that they are a session's."""
    told = stage.repo.git("log", "--format=%(trailers:key=Abreast-Session,valueonly)", "main")
    return Counter(line for line in told.splitlines() if line)


def database_size(stage: Stage) -> int:
    """How large the database is, in bytes."""
    url = stage.places.database
    if url.startswith("sqlite"):
        file = Path(url.removeprefix("sqlite:///"))
        return sum(one.stat().st_size for one in file.parent.glob(f"{file.name}*"))
    import psycopg

    with psycopg.connect(url) as db:
        row = db.execute("SELECT pg_database_size(current_database())").fetchone()
    return int(row[0]) if row else 0
