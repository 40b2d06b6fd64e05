"""What abreast adds to the time that the very same child takes when it is run bare."""

import contextlib
import json
import os
import re
import shlex
import subprocess
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil
from tests.support.deadlines import SECONDS

from abreast import api
from abreast.model.moves import Scenario, Sleep
from abreast.model.task import AgentChoice, Deliverable, DeliveryState
from abreast.process.tree import MARKER, marked, sweep
from abreast.runner.job import JOB, Job, load_job, load_result
from benchmarks.delegation_desk import Desk
from benchmarks.delegation_research import answer_of
from benchmarks.measure import median, ms
from benchmarks.report import Aim, Table

AIM = 0.300  # seconds that abreast may add to a child
_ANSWER = {"text": "src/part1.txt:1 says that its reader is to find out."}
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_HOLD = 1.0  # seconds that the first child takes, for a look at its environment


@dataclass(frozen=True)
class Bare:
    """A child's command as abreast ran it, with its whole environment."""

    job: Job
    env: Mapping[str, str]

    def run(self) -> float:
        """Run it without abreast, and return the seconds that it took."""
        marker, session = uuid.uuid4().hex, str(uuid.uuid4())
        # A CLI refuses the id of a session that it has already had.
        argv = [_UUID.sub(session, part) for part in self.job.argv]
        stdin = Path(self.job.stdin or os.devnull)
        with stdin.open("rb") as given:
            began = time.perf_counter()
            done = subprocess.run(
                argv,
                cwd=self.job.cwd,
                env={**self.env, MARKER: marker},
                stdin=given,
                capture_output=True,
                check=False,
                start_new_session=True,
                timeout=SECONDS,
            )
            took = time.perf_counter() - began
        sweep(marker)
        if done.returncode:
            said = (done.stdout[-1000:] + done.stderr[-1000:]).decode()
            raise RuntimeError(f"{argv[:3]}: {done.returncode}\n{said}")
        return took


@dataclass(frozen=True)
class Delegated:
    """Seconds that a delegation took: in all, until its child began, and from that one's end."""

    whole: float
    before: float
    after: float

    @property
    def child(self) -> float:
        return self.whole - self.before - self.after


@dataclass(frozen=True)
class Round:
    bare: float
    ours: Delegated

    @property
    def added(self) -> float:
        return self.ours.whole - self.bare


class Asker:
    """Asks one agent the same question again and again, by abreast and bare."""

    def __init__(self, desk: Desk, name: str) -> None:
        self.desk, self.name = desk, name
        self._key = f"[{name}, in time]"
        self._hold = desk.repo.parent / "hold"
        said = shlex.quote(json.dumps(_ANSWER))
        command = f"[ -e {self._hold} ] && sleep {_HOLD:g}; echo {said}"
        self._choice = AgentChoice(name, command=command if name == "command" else "")
        self._bare = self._first()

    def round(self, *, ours_first: bool) -> Round:
        if ours_first:
            ours = self._delegate()
            return Round(self._bare.run(), ours)
        bare = self._bare.run()
        return Round(bare, self._delegate())

    def _first(self) -> Bare:
        """Delegate once, which is not timed, and see how abreast runs the child."""
        self._play(Sleep(_HOLD))
        self._hold.touch()
        with self.desk.lived_in():
            asked = api.start_delegation(
                self._question, agent=self._choice, repo=self.desk.repo, places=self.desk.places
            )
            bare = _caught(self.desk.places.sessions / asked.id)
            self._hold.unlink()
            _check(api.collect(asked.id, wait=True, places=self.desk.places)[0])
        self._play()
        return bare

    def _delegate(self) -> Delegated:
        with self.desk.lived_in():
            at, began = time.time(), time.perf_counter()
            found = api.delegate(
                self._question, agent=self._choice, repo=self.desk.repo, places=self.desk.places
            )
            whole = time.perf_counter() - began
        _check(found)
        result = load_result(Path(found.path).parent / "agent")
        assert result is not None
        return Delegated(whole, result.started - at, at + whole - result.ended)

    @property
    def _question(self) -> str:
        return f"What does src/part1.txt say? {self._key}"

    def _play(self, *first: Sleep) -> None:
        self.desk.server.add(Scenario(self._key, (*first, *answer_of(self.name, _ANSWER))))


def _check(found: Deliverable) -> None:
    if found.outcome is not DeliveryState.OK:
        raise RuntimeError(f"{found.id} ({found.agent}): {found.outcome}: {found.reason}")


def _caught(folder: Path) -> Bare:
    """Wait for the child of a run, and return how it is run; its environment is in no file."""
    late = time.monotonic() + SECONDS
    while time.monotonic() < late:
        for file in folder.glob(f"*/*/*/{JOB}"):
            job = load_job(file.parent)
            for process in marked(job.marker):
                with contextlib.suppress(psutil.Error):
                    # A forked runner shows nothing of its environment but the marker.
                    if "abreast.runner" not in process.cmdline():
                        return Bare(job, process.environ())
        time.sleep(0.005)
    raise RuntimeError(f"no child was started in {folder}")


_HEAD = (
    "child",
    "bare",
    "by abreast",
    "added",
    "until it starts",
    "while it runs",
    "after its end",
)


def latency_table(desks: Mapping[str, Desk], rounds: int) -> tuple[Table, list[Aim]]:
    """Delegate to each CLI and to a trivial command, and run each bare, taking turns."""
    askers = [Asker(next(iter(desks.values())), "command")]
    askers += [Asker(desk, name) for name, desk in desks.items()]
    found: dict[str, list[Round]] = {asker.name: [] for asker in askers}
    for number in range(rounds):
        for asker in askers:
            found[asker.name].append(asker.round(ours_first=number % 2 == 1))
    rows = [_row(name, times) for name, times in found.items()]
    aims = [_aim(name, median(t.added for t in times)) for name, times in found.items()]
    return Table(_HEAD, rows, f"Latency, medians of {rounds}, ms"), aims


def _row(name: str, times: list[Round]) -> tuple[str, ...]:
    return (
        name if name != "command" else "`echo`",
        ms(median(t.bare for t in times)),
        ms(median(t.ours.whole for t in times)),
        ms(median(t.added for t in times)),
        ms(median(t.ours.before for t in times)),
        ms(median(t.ours.child - t.bare for t in times)),
        ms(median(t.ours.after for t in times)),
    )


def _aim(name: str, added: float) -> Aim:
    who = "a trivial command" if name == "command" else f"a child of `{name}`"
    text = f"abreast adds at most {ms(AIM)} ms to {who}"
    return Aim(text, f"{ms(added)} ms", added <= AIM)
