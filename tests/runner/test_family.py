"""Whatever an agent starts is found and ended, also after its runner was killed; but for what
serves others too."""

import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from abreast.engine.working.session.jobs import end_job
from abreast.model.events import Outcome
from abreast.process.identity import MARKER, Identity, identify
from abreast.process.supervisor import FAMILY, FamilyRecord, load_family, survivors
from abreast.runner.job import STREAM, Job, load_result, load_runner, save_job
from tests.support.deadlines import SECONDS, eventually

linux = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere orphans go to init")

# Starts `NAME ARGV...` in each of the ways that programs use, and tells the pid in a file.
STARTS = """
import os, sys
folder, *shapes = sys.argv[1:]
def sleep(name, environment):
    argv = ["sh", "-c", f'echo $$ > "{folder}/{name}.new"; mv "{folder}/{name}.new" '
            f'"{folder}/{name}"; exec sleep 600']
    os.execve("/bin/sh", argv, environment)
def start(name):
    clear = {"PATH": os.environ["PATH"]}
    if os.fork():
        return
    if name == "child":
        sleep(name, os.environ)
    os.setsid()
    if name == "setsid":
        sleep(name, os.environ)
    if os.fork():
        os._exit(0)
    if name == "again":  # a second session, and nobody left in the first
        os.setsid()
        if os.fork():
            os._exit(0)
    sleep(name, os.environ if name == "daemon" else clear)
for shape in shapes:
    start(shape)
sys.stdin.close()
import time
time.sleep(600)
"""
SHAPES = ("child", "setsid", "daemon", "cleared", "again")


@contextmanager
def at_work(folder: Path, *argv: str) -> Iterator[subprocess.Popen[bytes]]:
    """A real runner at work on a job, the runner's environment marked as its job."""
    marker = uuid.uuid4().hex
    save_job(folder, Job(argv, str(folder), marker, str(folder / "stop")))
    runner = [sys.executable, "-I", "-m", "abreast.runner", str(folder)]
    with subprocess.Popen(runner, env={**os.environ, MARKER: marker}) as running:
        try:
            yield running
        finally:
            (folder / "stop").touch()
            running.wait(SECONDS)


def started(folder: Path, name: str) -> Identity:
    file = folder / name
    eventually(lambda: file.exists() and file.read_text().endswith("\n"), f"{name} has started")
    return identify(int(file.read_text()))


def is_written_down(folder: Path, identity: Identity) -> bool:
    record = load_family(folder)
    return record is not None and identity in record.members


@linux
def test_a_killed_runner_leaves_nobody(tmp_path: Path) -> None:
    with at_work(tmp_path, sys.executable, "-c", STARTS, str(tmp_path), *SHAPES) as running:
        born = {name: started(tmp_path, name) for name in SHAPES}
        for name, one in born.items():
            eventually(lambda one=one: is_written_down(tmp_path, one), f"{name} is written down")
        running.kill()
        running.wait(SECONDS)
        assert {name for name, one in born.items() if one.alive} == set(SHAPES)
        end_job(tmp_path)
        assert {name for name, one in born.items() if one.alive} == set()
    result = load_result(tmp_path)
    assert result is not None
    assert result.swept >= len(SHAPES)
    assert result.left == ()


@linux
def test_who_came_after_the_last_look_is_found_by_session_and_parent(tmp_path: Path) -> None:
    line = ["sh", "-c", "sleep 600 & exec sleep 600"]
    with subprocess.Popen(line, start_new_session=True) as top:
        [child] = eventually(psutil.Process(top.pid).children, "a child")
        try:
            mine = identify(top.pid)
            record = FamilyRecord(mine.started, (mine,), frozenset({top.pid}))
            assert {one.pid for one in survivors(record)} == {top.pid, child.pid}
            # The pid has come round, and nobody can have been in the session when we looked.
            later = FamilyRecord(0.0, (replace(mine, started=0.5),), frozenset({top.pid}))
            assert survivors(later) == []
        finally:
            child.kill()
            top.kill()


@linux
@pytest.mark.parametrize("killed", [False, True])
def test_what_serves_others_is_named_and_goes_on(tmp_path: Path, killed: bool) -> None:
    """Here programs of such names: what runs in a terminal's server is the user's, too."""
    for name, program in (("gpg-agent", "sleep"), ("screen", "sh")):
        shutil.copy(shutil.which(program) or "", tmp_path / name)
    in_screen = f"sleep 600 & echo $! > {tmp_path}/window; wait"
    script = f"""
    env -i {tmp_path}/gpg-agent 600 & echo $! > {tmp_path}/keys
    {tmp_path}/screen -c '{in_screen}' & echo $! > {tmp_path}/server
    sleep 600 & echo $! > {tmp_path}/own
    while [ ! -s {tmp_path}/window ]; do sleep 0.02; done
    sleep {600 if killed else 0}
    """
    born = {}
    try:
        with at_work(tmp_path, "sh", "-c", script) as running:
            for name in ("keys", "server", "own", "window"):
                born[name] = started(tmp_path, name)
            if killed:
                eventually(lambda: is_written_down(tmp_path, born["own"]), "it is written down")
                eventually(lambda: is_written_down(tmp_path, born["keys"]), "it is written down")
                running.kill()
                running.wait(SECONDS)
                end_job(tmp_path)
            else:
                running.wait(SECONDS)
        assert {name for name, one in born.items() if one.alive} == {"keys", "server", "window"}
        result = load_result(tmp_path)
        assert result is not None
        named = {f"gpg-agent ({born['keys'].pid})", f"screen ({born['server'].pid})"}
        assert set(result.left) == named
    finally:
        for one in born.values():
            if (process := one.find()) is not None:
                process.kill()


@linux
def test_another_jobs_runner_is_not_the_agents(tmp_path: Path) -> None:
    """An agent that delegates may be the one who starts the worker, and so all of its runners."""
    other, mine = tmp_path / "other", tmp_path / "mine"
    other.mkdir()
    mine.mkdir()
    save_job(other, Job(("sleep", "600"), str(other), "another", str(other / "stop")))
    script = f"""
    {MARKER}=another setsid {sys.executable} -I -m abreast.runner {other} &
    while [ ! -e {other}/{FAMILY} ]; do sleep 0.02; done
    """
    with at_work(mine, "sh", "-c", script) as running:
        running.wait(SECONDS)
    runner = load_runner(other)
    assert runner is not None
    assert runner.alive
    assert runner.pid in {int(one.rpartition("(")[2].strip(")")) for one in left(mine)}
    (other / "stop").touch()
    eventually(lambda: not runner.alive, "it has ended")
    assert load_result(other) is not None


def left(folder: Path) -> tuple[str, ...]:
    result = load_result(folder)
    assert result is not None
    return result.left


def test_a_killed_runner_had_no_time_to_note_the_session_of_its_agent(tmp_path: Path) -> None:
    """It does so five times a second; without the id nobody can go on where the agent was."""
    job = Job(("true",), str(tmp_path), "of nobody", str(tmp_path / "stop"), agent="scripted")
    save_job(tmp_path, job)
    said = '{"type": "started", "session": "abc"}\n{"type": "tool", "text": "wri'
    (tmp_path / STREAM).write_text(said)
    end_job(tmp_path)
    result = load_result(tmp_path)
    assert result is not None
    assert (result.verdict.outcome, result.verdict.cli_session) == (Outcome.UNKNOWN, "abc")
