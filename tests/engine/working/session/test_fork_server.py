"""A runner that is forked does, and looks, as one that is started for its job."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from abreast.agents.base import Command
from abreast.engine.working.session import fork_server, jobs
from abreast.engine.working.session.fork_server import ForkServer
from abreast.engine.working.session.jobs import Order, run_job
from abreast.model.events import Outcome
from abreast.model.limits import Limits
from abreast.process.tree import MARKER
from abreast.runner.job import load_job, load_runner
from abreast.runner.order import NOBODY, RunnerOrder, parse_order
from tests.support.deadlines import MINUTES, SECONDS, eventually

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="runners are forked on Linux")

TOLD = """
import json, os, sys
def raw(name): return open(f"/proc/{os.getppid()}/{name}", "rb").read().decode(errors="replace")
status = dict(line.split(":\\t", 1) for line in raw("status").splitlines() if ":\\t" in line)
print(json.dumps({
    "env": dict(os.environ), "cwd": os.getcwd(), "stdin": sys.stdin.read(),
    "leads": os.getpgid(0) == os.getpid(), "open": sorted(os.listdir("/proc/self/fd")),
    "umask": os.umask(0), "nice": os.nice(0), "limits": raw("limits"),
    "above": {name: status[name] for name in ("Umask", "SigBlk", "SigIgn", "SigCgt", "Uid")},
    "above nice": raw("stat").rpartition(")")[2].split()[16], "cwd above": os.readlink(
        f"/proc/{os.getppid()}/cwd"), "line above": raw("cmdline"), "environ above": raw("environ"),
    "open above": sorted(os.readlink(f"/proc/{os.getppid()}/fd/{one}").split(":")[0]
        for one in os.listdir(f"/proc/{os.getppid()}/fd")),
    "session above": os.getsid(os.getppid()) == os.getppid(),
}))
"""


class NoServer(ForkServer):
    def start(self, *_: object) -> None:
        return None


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ForkServer]:
    found = ForkServer()
    monkeypatch.setattr(jobs, "fork_server", found)
    yield found
    found.close()


def told(folder: Path, name: str) -> dict[str, Any]:
    """Run a job that tells how it finds the world, and what is above it."""
    env = {"PATH": os.environ["PATH"], "A_NAME": "v\udcff", MARKER: "none"}
    limits = Limits(minutes=MINUTES, idle_minutes=0)
    order = Order(Command(("python3", "-c", TOLD), env), folder, limits, folder / "stop")
    result = asyncio.run(run_job(folder / name, lambda: order))
    assert result.verdict.outcome is Outcome.OK, result.verdict
    job, runner = load_job(folder / name), load_runner(folder / name)
    assert runner is not None
    assert not runner.alive
    found = json.loads((folder / name / "stream.jsonl").read_text())
    assert found["env"].pop(MARKER) == job.marker
    assert str(folder / name) in found.pop("line above")
    assert f"{MARKER}={job.marker}" in found.pop("environ above").split("\0")
    assert (folder / name / "runner.log").read_text() == ""
    return json.loads(json.dumps(found).replace(str(folder / name), "ITS FOLDER"))


def test_a_job_finds_the_world_as_under_a_runner_of_its_own(
    tmp_path: Path, server: ForkServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = told(tmp_path, "first"), told(tmp_path, "second")
    assert server._process is not None
    assert server._process.poll() is None
    monkeypatch.setattr(jobs, "fork_server", NoServer())
    assert first == second == told(tmp_path, "own")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_server_that_has_ended_is_no_loss(
    tmp_path: Path, server: ForkServer, how: signal.Signals
) -> None:
    server.prepare()
    first = server._process
    assert first is not None
    first.send_signal(how)
    first.wait(SECONDS)
    told(tmp_path, "by itself")
    told(tmp_path, "by the next")
    assert server._process is not None
    assert server._process.pid != first.pid


def test_a_server_that_stands_still_holds_nobody_up(
    tmp_path: Path, server: ForkServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("abreast.engine.working.session.fork_server._ANSWER", 0.01)
    server.prepare()
    first = server._process
    assert first is not None
    first.send_signal(signal.SIGSTOP)
    told(tmp_path, "by itself")
    assert server._process is None
    assert first.returncode == -signal.SIGKILL


def play(folder: Path, name: str, agent: str, **env: str) -> None:
    """Run a job of an agent that says nothing."""
    command = Command(("true",), {"PATH": os.environ["PATH"], **env})
    limits = Limits(minutes=MINUTES, idle_minutes=0)
    order = Order(command, folder, limits, folder / "stop", agent=agent)
    asyncio.run(run_job(folder / name, lambda: order))


def has_imported(server: ForkServer, name: str) -> bool:
    """Whether it has a compiled module of that name open."""
    assert server._process is not None
    return name in Path(f"/proc/{server._process.pid}/maps").read_text()


def test_what_runners_of_an_agent_need_is_imported_once(tmp_path: Path, server: ForkServer) -> None:
    play(tmp_path, "one", "command")
    assert not has_imported(server, "orjson")
    play(tmp_path, "two", "claude")
    assert has_imported(server, "orjson")


def test_it_is_prepared_ahead(server: ForkServer) -> None:
    server.prepare("gemini")
    eventually(lambda: has_imported(server, "orjson"), "it is prepared")


def test_the_file_of_a_brought_agent_runs_in_its_runners_alone(
    tmp_path: Path, server: ForkServer
) -> None:
    brought = tmp_path / "brought.py"
    brought.write_text(f"import os; print(os.getpid(), file=open({str(tmp_path / 'ran')!r}, 'a'))")
    server.prepare("brought")
    play(tmp_path, "one", "brought", ABREAST_AGENTS=str(brought))
    play(tmp_path, "two", "command")
    [ran] = (tmp_path / "ran").read_text().split()
    runner = load_runner(tmp_path / "one")
    assert runner is not None
    assert int(ran) == runner.pid


def test_it_ends_with_whoever_started_it(server: ForkServer) -> None:
    server.prepare()
    process, control = server._process, server._control
    assert process is not None
    assert control is not None
    started = psutil.Process(process.pid)
    eventually(lambda: MARKER in started.environ(), "it is the program that it is to be")
    assert started.environ()[MARKER] == NOBODY
    control.close()
    assert process.wait(SECONDS) == 0


def test_runners_outlive_it(tmp_path: Path, server: ForkServer) -> None:
    script = f"while [ ! -e {tmp_path / 'go'} ]; do sleep 0.02; done; echo done"
    limits = Limits(minutes=MINUTES, idle_minutes=0)
    command = Command(("sh", "-c", script), {"PATH": os.environ["PATH"]})
    order = Order(command, tmp_path, limits, tmp_path / "stop")

    async def scene() -> None:
        work = asyncio.create_task(run_job(tmp_path / "job", lambda: order))
        await asyncio.to_thread(eventually, lambda: load_runner(tmp_path / "job"), "it runs")
        await asyncio.to_thread(server.close)
        (tmp_path / "go").touch()
        result = await work
        assert result.verdict.outcome is Outcome.OK

    asyncio.run(scene())


def test_an_order_that_is_not_whole_is_none() -> None:
    raw = RunnerOrder("/folder", {"A": "v\udcff"}, "/log", "successor\n").to_bytes()
    assert parse_order(raw) == RunnerOrder("/folder", {"A": "v\udcff"}, "/log", "successor\n")
    assert {parse_order(raw[:n]) for n in range(len(raw))} == {None}


def test_a_server_that_is_stopped_keeps_nobody_waiting(
    server: ForkServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fork_server, "_ANSWER", 0.1)
    server.prepare()
    process = server._process
    assert process is not None
    process.send_signal(signal.SIGSTOP)
    for _ in range(10_000):  # more than wait in a socket
        server.prepare()
        if server._process is not process:
            break
    assert process.poll() == -signal.SIGKILL
