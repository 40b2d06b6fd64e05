"""Runners go on while abreast is upgraded: the new version takes over what an older one began."""

import asyncio
import json
import os
import subprocess
import sys
import uuid
from pathlib import Path

from abreast.engine.working.session.jobs import Order, run_job
from abreast.model.events import Outcome
from abreast.process.tree import MARKER
from abreast.runner.job import JOB, RUNNER, JobProgress, load_runner
from tests.support.deadlines import eventually

STORED = Path(__file__).parents[1] / "recordings" / "stored" / "2026-11-23"


def test_a_runner_of_an_older_version_is_adopted(tmp_path: Path) -> None:
    """The job is as that version wrote it, and its runner tells no more of itself than it did."""
    marker, go = uuid.uuid4().hex, tmp_path / "go"
    job = json.loads((STORED / JOB).read_text(encoding="utf-8", errors="surrogateescape"))
    wait = f"echo working; while [ ! -e {go} ]; do sleep 0.02; done; echo done"
    job |= {"argv": ["sh", "-c", wait], "cwd": str(tmp_path), "marker": marker, "activity": []}
    job |= {"stop_file": str(tmp_path / "stop"), "agent": "", "stdin": ""}
    (tmp_path / JOB).write_text(json.dumps(job))
    argv = [sys.executable, "-I", "-m", "abreast.runner", str(tmp_path)]
    env = {**os.environ, MARKER: marker}
    with subprocess.Popen(argv, env=env, stdin=subprocess.DEVNULL) as process:
        eventually(lambda: load_runner(tmp_path), "the runner says who it is")
        told = json.loads((tmp_path / RUNNER).read_text())
        (tmp_path / RUNNER).write_text(json.dumps({key: told[key] for key in ("pid", "started")}))
        seen: list[JobProgress] = []

        def note(progress: JobProgress) -> None:
            seen.append(progress)
            go.touch()

        def order() -> Order:
            raise AssertionError("it was not adopted, but started once more")

        result = asyncio.run(run_job(tmp_path, order, note))
        assert process.wait() == 0
    assert seen[0].last_action == "working"
    assert (result.verdict.outcome, result.progress.last_action) == (Outcome.OK, "done")
