"""Run plans on a test's repository with a real worker, and leave nothing behind."""

import contextlib
import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil
import pytest

from abreast import api
from abreast.engine.client.requests import connect
from abreast.engine.common import worker_process
from abreast.engine.common.worker_process import ensure_worker, find_worker
from abreast.model.limits import Limits
from abreast.model.moves import Move, Say, Shell, Write
from abreast.model.session import Run, Session
from abreast.model.task import AgentChoice, Plan, Task
from abreast.places import Places
from abreast.process.tree import marked, sweep
from abreast.runner.job import load_job, load_result, load_runner
from abreast.store.reader import Reader
from tests.support.databases import up_to_date_file
from tests.support.deadlines import MINUTES, SECONDS, eventually
from tests.support.left import processes_now, processes_of
from tests.support.nursery import Forked, fork
from tests.support.repos import Repo
from tests.support.story import check_story

_WORKER = "abreast.engine.working.worker"
_START = worker_process._start


def scripted(*moves: Move) -> AgentChoice:
    return AgentChoice("scripted", moves=moves)


def writes(path: str, text: str = "new\n") -> AgentChoice:
    """An agent that writes one file and says so."""
    return scripted(Write(path, text), Say(f"wrote {path}"))


def until(file: Path) -> Shell:
    """A move that ends once the file is there."""
    return Shell(f"while [ ! -e {file} ]; do sleep 0.02; done")


def task(name: str, agent: AgentChoice, **more: Any) -> Task:
    more.setdefault("limits", Limits(minutes=MINUTES, idle_minutes=0, outage_minutes=0))
    more.setdefault("produces", f"{name} is there.")
    more.setdefault("repairs", 0)
    return Task(name, f"Do {name}.", agent=agent, **more)


class Stage:
    """One abreast in a test: `run` and `start` plans, look at what becomes of them.

    At its end nothing of it may be left, and its worker's log tells of no mishap.
    """

    forks = True
    """Whether its workers are forked from one that has their modules; see `nursery`."""

    def __init__(self, places: Places, repo: Repo, environ: dict[str, str] | None = None) -> None:
        self.places, self.repo, self.environ = places, repo, environ
        self._forked: list[Forked] = []
        self._start = pytest.MonkeyPatch()

    @classmethod
    def on_sqlite(cls, state: Path, repo: Repo) -> Self:
        """One with a database file in its state folder, up to date."""
        places = Places(state, f"sqlite:///{state / 'abreast.db'}").make()
        shutil.copy(up_to_date_file(), state / "abreast.db")
        return cls(places, repo)

    def __enter__(self) -> Self:
        self._start.setattr(worker_process, "_start", self._fork if self.forks else _START)
        return self

    def _fork(self, places: Places) -> Forked:
        forked = fork(worker_process.successor(places))
        self._forked.append(forked)
        return forked

    def no_more_workers(self) -> None:
        """Leave the next start of a worker to somebody else."""
        self._start.undo()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            for run in self._runs():
                if not run.state.final and run.state != "open":
                    api.stop(run.id, places=self.places)
        finally:
            left = self._end()
            for job in self._jobs():
                sweep(json.loads(job.read_text())["marker"])
            self.no_more_workers()
        if kind is None:
            assert left == [], "processes are left"
            self._check_logs()

    def _runs(self) -> list[Run]:
        return api.runs(limit=1000, places=self.places)

    def _jobs(self) -> Iterable[Path]:
        return self.places.sessions.rglob("job.json")

    def _check_logs(self) -> None:
        said = self._worker_said()
        assert "Traceback" not in said, said
        for job in self._jobs():
            log = job.with_name("runner.log")
            assert not log.exists() or log.read_text() == ""
        for run in self._runs():
            check_story(run, Reader(self.places.database).events(run.id))
            for session in run.sessions:
                assert "abreast failed" not in session.reason, session.reason

    def _worker_said(self) -> str:
        log = self.places.logs / "worker.log"
        return log.read_text() if log.exists() else ""

    def plan(self, *tasks: Task, **more: Any) -> Plan:
        more.setdefault("max_parallel", 4)
        return Plan(tasks, base="main", repo=str(self.repo.path), **more)

    def start(self, *tasks: Task, **more: Any) -> Run:
        with connect(self.places) as client:
            return client.start(self.plan(*tasks, **more), self.environ or os.environ)

    def run(self, *tasks: Task, **more: Any) -> Run:
        """Start a plan and return its run once that has ended."""
        return self.wait(self.start(*tasks, **more).id)

    def wait(self, run: str) -> Run:
        found = api.wait(run, timeout=SECONDS, places=self.places)
        assert found.state.final, f"{run} has not ended: {found}"
        return found

    def session(self, name: str) -> Session:
        return api.find_session(name, places=self.places)

    def until(self, name: str, condition: Callable[[Session], Any]) -> Session:
        """Wait until a session is as `condition` wants it, and return it."""
        eventually(lambda: condition(self.session(name)), f"{name} as wanted")
        return self.session(name)

    def directory(self, session: str) -> Path:
        """The folder of a session's latest attempt."""
        return Path(self.session(session).directory)

    def has_begun(self, session: str, job: str = "agent") -> bool:
        """Whether a session's job has been ordered: its agent has its first prompt."""
        directory = self.session(session).directory
        return bool(directory) and (Path(directory) / job / "job.json").exists()

    def marked(self, session: str, job: str = "agent") -> list[psutil.Process]:
        """The living processes of a session's job."""
        file = self.directory(session) / job / "job.json"
        return marked(json.loads(file.read_text())["marker"])

    def runner(self, session: str, job: str = "agent") -> psutil.Process:
        """The living supervisor of a session's job."""
        identity = load_runner(self.directory(session) / job)
        found = identity.find() if identity else None
        assert found is not None, f"{session} has no {job} at work"
        return found

    def events(self, name: str, kind: str = "") -> list[str]:
        """What has happened to a run or a session, of one kind or of all."""
        told = [event for _, event in Reader(self.places.database).events(name)]
        return [event.text for event in told if kind in {"", event.kind}]

    def worker(self) -> psutil.Process | None:
        identity = find_worker(self.places)
        return identity.find() if identity else None

    def signal_worker(self, number: signal.Signals) -> None:
        process = self.worker()
        if process is not None:
            process.send_signal(number)

    def end_worker(self) -> None:
        process = self.worker()
        if process is not None:
            process.terminate()
            process.wait(SECONDS)

    def _end(self) -> list[str]:
        """End the worker, and those that a runner or a client has started since; what is left.

        Once it has given up its place, all that is left to do is for Python to take its modules
        apart, a third of what a short test costs: it is not waited for.
        """
        late = time.monotonic() + SECONDS
        process = self.worker()
        if process is not None:
            process.terminate()
            eventually(lambda: self.worker() is None, "the worker has given up its place")
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
                process.wait(SECONDS)
        while (left := processes_now(str(self.places.state))) and time.monotonic() < late:
            for pid in (int(one.split()[0]) for one in left if _WORKER in one):
                with contextlib.suppress(psutil.NoSuchProcess):
                    worker = psutil.Process(pid)
                    worker.terminate()
                    worker.wait(SECONDS)
            time.sleep(0.02)
        eventually(lambda: None not in [one.poll() for one in self._forked], "its workers' ends")
        return left

    def restart_worker(self) -> None:
        self.kill_worker()
        ensure_worker(self.places)

    def kill_everything(self) -> None:
        """Kill the worker, the runners and all that they have started, as a power failure does."""
        worker = self.worker()
        jobs = [file.parent for file in self.places.sessions.rglob("job.json")]
        at_work = [folder for folder in jobs if load_result(folder) is None]
        runners = [found for one in at_work if (found := load_runner(one)) and found.find()]
        assert runners, "there is nothing at work"
        for victim in filter(None, [worker, *(runner.find() for runner in runners)]):
            victim.kill()
            victim.wait(SECONDS)
        for folder in at_work:
            sweep(load_job(folder).marker)

    def kill_worker(self) -> None:
        process = self.worker()
        assert process is not None, "there is no worker"
        process.kill()
        process.wait(SECONDS)


class SharedStage(Stage):
    """A stage on an abreast that other tests use too: its worker stays, nothing else does.

    Between tests the worker stands still: its looks for work would go on through the whole suite.
    """

    def __enter__(self) -> Self:
        super().__enter__()
        self.signal_worker(signal.SIGCONT)
        self._before = {run.id for run in super()._runs()}
        self._said_before = len(super()._worker_said())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            super().__exit__(kind, error, trace)
        finally:
            self.signal_worker(signal.SIGSTOP)

    def _runs(self) -> list[Run]:
        return [run for run in super()._runs() if run.id not in self._before]

    def _folders(self) -> list[Path]:
        return [self.places.sessions / run.id for run in self._runs()]

    def _jobs(self) -> Iterable[Path]:
        return [job for folder in self._folders() for job in folder.rglob("job.json")]

    def _worker_said(self) -> str:
        return super()._worker_said()[self._said_before :]

    def _end(self) -> list[str]:
        return processes_of(*map(str, self._folders()))


__all__ = ["SharedStage", "Stage", "replace", "scripted", "task", "until", "writes"]
