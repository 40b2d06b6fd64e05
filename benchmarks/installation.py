"""An abreast of its own whose worker is up: what runs cost is not mixed with what starting does."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from tests.support.deadlines import SECONDS

from abreast.engine.common.worker_process import find_worker
from abreast.places import Places, find_places
from abreast.runner.order import FORK_SERVER
from benchmarks.measure import cpu_with_children

ABREAST = str(Path(sys.executable).with_name("abreast"))


@dataclass(frozen=True)
class Installation:
    """A state folder and its worker, which was started by a first run."""

    places: Places
    worker: psutil.Process
    started: float  # seconds from typing the first command until its run was done

    def cpu(self) -> float:
        """CPU seconds of the worker and of all runners, agents and gits that have ended.

        Every runner is waited for by the worker or by its fork server, which counts with it; every
        process that an agent leaves behind becomes a child of its runner.
        """
        return sum(map(cpu_with_children, (self.worker, *self._fork_servers())))

    def settle(self) -> None:
        """Wait until all that the worker has started is waited for: then `cpu` is complete."""
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            if not {*self.worker.children(recursive=True)}.difference(self._fork_servers()):
                return
            time.sleep(0.02)

    def _fork_servers(self) -> list[psutil.Process]:
        found = []
        for one in self.worker.children():
            with contextlib.suppress(psutil.Error):  # it has just ended
                if FORK_SERVER in one.cmdline():
                    found.append(one)
        return found

    def clear(self) -> None:
        """Remove the worktrees of runs that have been measured."""
        shutil.rmtree(self.places.worktrees, ignore_errors=True)
        self.places.make()


@contextmanager
def installation(folder: Path, repo: Path) -> Iterator[Installation]:
    """Yield an installation below `folder`, warm; its worker ends at the end."""
    before = os.environ.get("ABREAST_STATE_DIR")
    os.environ["ABREAST_STATE_DIR"] = str(folder)
    os.environ["ABREAST_IDLE_EXIT"] = "600"
    places = find_places()
    try:
        began = time.perf_counter()
        run_plan(write_plan(folder.with_suffix(".toml"), 1, 1), repo)
        started = time.perf_counter() - began
        identity = find_worker(places)
        worker = identity.find() if identity else None
        if worker is None:
            raise RuntimeError(f"no worker: see {places.logs}")
        yield Installation(places, worker, started)
    finally:
        end_worker(places)
        if before is None:
            del os.environ["ABREAST_STATE_DIR"]
        else:
            os.environ["ABREAST_STATE_DIR"] = before


def end_worker(places: Places) -> None:
    identity = find_worker(places)
    process = identity.find() if identity else None
    if process is not None:
        process.terminate()
        try:
            process.wait(SECONDS)
        except psutil.TimeoutExpired:
            process.kill()


COMMAND = "echo done > result.txt"
_TASK = """
[[task]]
id = "task-{number}"
prompt = "Write the result."
produces = "Result {number} is there."
"""


def write_plan(path: Path, sessions: int, at_once: int) -> Path:
    """Write a plan of `sessions` tasks whose agent is a shell command that writes one file."""
    head = f'max_parallel = {at_once}\nagent = {{ command = "{COMMAND}" }}\n'
    path.write_text(head + "".join(_TASK.format(number=n) for n in range(sessions)))
    return path


def run_plan(plan: Path, repo: Path) -> dict[str, Any]:
    """Run `abreast run PLAN` as a user would; return its run. Raises when a session is not done."""
    argv = [ABREAST, "run", str(plan), "--repo", str(repo), "--json"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{argv}: {done.returncode}\n{done.stderr[-3000:]}")
    run: dict[str, Any] = json.loads(done.stdout)["run"]
    return run
