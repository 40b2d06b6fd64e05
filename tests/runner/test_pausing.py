"""A job is paused while the machine is short of memory, and its processes are the first to go."""

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from abreast.model.limits import Limits
from abreast.process.supervisor import FIRST
from abreast.process.tree import MARKER, marked
from abreast.runner.job import (
    PAUSE,
    SHORT,
    STREAM,
    Job,
    Result,
    load_progress,
    load_result,
    save_job,
)
from tests.support.deadlines import MINUTES, SECONDS, eventually

AWAY = "env -i setsid sh -c 'echo $$ > child; until [ -e go ]; do sleep 0.02; done' &"
WORK = f"trap 'echo asked > politely; exit 1' TERM; {AWAY} until [ -e go ]; do sleep 0.02; done"


@contextmanager
def begun(
    folder: Path, script: str, idle_minutes: float = 0
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a script as a job under a real runner; the runner has ended afterwards."""
    marker = uuid.uuid4().hex
    limits = Limits(minutes=MINUTES, idle_minutes=idle_minutes)
    argv = ("sh", "-c", script)
    save_job(folder, Job(argv, str(folder), marker, str(folder / "stop"), limits=limits))
    command = [sys.executable, "-I", "-m", "abreast.runner", str(folder)]
    env = {**os.environ, MARKER: marker}
    with subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL) as runner:
        yield runner
        runner.wait(SECONDS)
    assert marked(marker) == []


def pause(folder: Path, seconds: float) -> None:
    new = folder / "new"
    new.write_text(str(seconds), encoding="ascii")
    new.rename(folder / PAUSE)


def paused(folder: Path) -> bool:
    progress = load_progress(folder)
    return progress is not None and progress.paused


def result_of(folder: Path) -> Result:
    result = load_result(folder)
    assert result is not None
    return result


def test_all_of_a_job_stands_still_and_the_time_is_none_of_its_own(tmp_path: Path) -> None:
    with begun(tmp_path, WORK) as runner:
        eventually((tmp_path / "child").exists, "both are at work")
        pause(tmp_path, SECONDS)
        eventually(lambda: paused(tmp_path), "it is paused")
        since = time.monotonic()
        below = psutil.Process(runner.pid).children(recursive=True)
        assert int((tmp_path / "child").read_text()) in {one.pid for one in below}
        # What each has started meanwhile is stopped as well.
        assert {one.status() for one in below} <= {psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE}
        (tmp_path / "go").touch()
        stood = time.monotonic() - since
        assert load_result(tmp_path) is None
        (tmp_path / PAUSE).unlink()
    result = result_of(tmp_path)
    assert (result.code, result.stopped_by) == (0, "")
    assert result.seconds <= result.ended - result.started - stood
    assert not result.progress.paused


def test_a_pause_that_lasts_too_long_ends_the_job_politely(tmp_path: Path) -> None:
    with begun(tmp_path, WORK):
        eventually((tmp_path / "child").exists, "both are at work")
        pause(tmp_path, 0.1)
    assert result_of(tmp_path).stopped_by == SHORT
    assert (tmp_path / "politely").read_text() == "asked\n"


def test_a_job_that_is_paused_is_stopped_at_once(tmp_path: Path) -> None:
    with begun(tmp_path, WORK):
        eventually((tmp_path / "child").exists, "both are at work")
        pause(tmp_path, SECONDS)
        eventually(lambda: paused(tmp_path), "it is paused")
        (tmp_path / "stop").touch()
    assert result_of(tmp_path).stopped_by == "user"
    assert (tmp_path / "politely").read_text() == "asked\n"


def test_what_a_person_has_stopped_stays_so(tmp_path: Path) -> None:
    with begun(tmp_path, WORK):
        eventually((tmp_path / "child").exists, "both are at work")
        child = psutil.Process(int((tmp_path / "child").read_text()))
        child.suspend()
        pause(tmp_path, SECONDS)
        eventually(lambda: paused(tmp_path), "it is paused")
        (tmp_path / PAUSE).unlink()
        eventually(lambda: not paused(tmp_path), "it goes on")
        assert child.status() == psutil.STATUS_STOPPED
        (tmp_path / "go").touch()


@pytest.mark.skipif(sys.platform != "linux", reason="a feature of Linux")
def test_the_kernel_takes_the_job_first_and_not_its_runner(tmp_path: Path) -> None:
    file = "oom_score_adj"
    script = f"until grep -qx {FIRST} /proc/$$/{file}; do :; done"
    with begun(tmp_path, f"{script}; cat /proc/self/{file} /proc/$PPID/{file}"):
        pass
    ours = Path(f"/proc/self/{file}").read_text()
    assert (tmp_path / STREAM).read_text() == f"{FIRST}\n{ours}"
