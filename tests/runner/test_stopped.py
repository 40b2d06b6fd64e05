"""A process that somebody has stopped (SIGSTOP) is not dead, and nobody's time runs out over it."""

import asyncio
import os
import signal
import sys
import time
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from abreast.engine.working.session import jobs
from abreast.model.events import Outcome
from abreast.model.limits import Limits
from abreast.process.files import write_json
from abreast.process.identity import identify
from abreast.process.patience import Awake
from abreast.runner.job import RUNNER, STREAM, Job, JobProgress, load_result, save_job
from abreast.runner.pump import Watch
from tests.runner.test_pausing import begun
from tests.support.deadlines import eventually

IDLE = 2.0  # seconds


def test_a_supervisor_that_was_stopped_calls_nobody_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    watch = Watch(Limits(minutes=120, idle_minutes=0.5), started=1000.0)
    for step in (0.2, 3600.0, 0.2, 1.0):
        now[0] += step
        watch.go_on(waiting=False)
        assert watch.tripped(JobProgress(), os.getpid()) == ""
    now[0] += 3600.0  # the job may have gone on all the time: its minutes count
    watch.go_on(waiting=False)
    assert watch.tripped(JobProgress(), os.getpid()) == "the time limit of 120 minutes"


@pytest.mark.skipif(sys.platform != "linux", reason="the state of a process is looked up in /proc")
def test_an_agent_that_was_stopped_is_not_idle_and_goes_on(tmp_path: Path) -> None:
    work = "echo begun; until [ -e go ]; do sleep 0.1; done; echo done"
    with begun(tmp_path, work, idle_minutes=IDLE / 60) as runner:
        eventually(lambda: (tmp_path / STREAM).exists() and (tmp_path / STREAM).read_text(), "it")
        [agent] = psutil.Process(runner.pid).children()
        agent.send_signal(signal.SIGSTOP)
        since = time.monotonic()
        eventually(lambda: time.monotonic() - since > 2 * IDLE, "longer than it may be idle")
        (tmp_path / "go").touch()
        agent.send_signal(signal.SIGCONT)
    result = load_result(tmp_path)
    assert result is not None
    assert (result.stopped_by, result.verdict.outcome) == ("", Outcome.OK)


def test_a_stopped_agent_hears_that_it_is_to_end(tmp_path: Path) -> None:
    work = "trap 'echo asked; exit 1' TERM; echo begun; while :; do sleep 0.1; done"
    with begun(tmp_path, work) as runner:
        eventually(lambda: (tmp_path / STREAM).exists() and (tmp_path / STREAM).read_text(), "it")
        [agent] = psutil.Process(runner.pid).children()
        agent.send_signal(signal.SIGSTOP)
        (tmp_path / "stop").touch()
    assert (tmp_path / STREAM).read_text() == "begun\nasked\n"


def test_time_in_which_nobody_could_look_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    clock = SimpleNamespace(awake=lambda: now[0])
    monkeypatch.setattr("abreast.process.patience.clock", clock)
    awake = Awake()
    now[0] = 1.0
    assert awake.look() == 1.0
    now[0] = 3601.0
    assert awake.look() == 3.0


def test_a_worker_that_was_stopped_still_hears_of_its_runner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two looks an hour passes, and the runner says who it is at the end of that."""
    hours, we = count(), identify()
    save_job(tmp_path, Job(("true",), str(tmp_path), "of nobody", str(tmp_path / "stop")))

    def an_hour_later() -> float:
        hour = next(hours)
        if hour == 2:
            write_json(tmp_path / RUNNER, we)
        return 3600.0 * hour

    clock = SimpleNamespace(awake=an_hour_later)
    monkeypatch.setattr("abreast.process.patience.clock", clock)
    process = SimpleNamespace(poll=lambda: None)
    found = asyncio.run(jobs._appear(tmp_path, process, asyncio.Event()))  # type: ignore[arg-type]
    assert found == we
