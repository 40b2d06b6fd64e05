"""Who works on a run is a fact about processes, whatever its row in the database says."""

import subprocess
import sys
from pathlib import Path

import psutil

from abreast import api
from abreast.engine.common.attendance import Attendance, attendance, is_at_work
from abreast.engine.common.worker_process import ensure_worker
from abreast.model.moves import Say
from abreast.model.session import RunState
from tests.support.deadlines import SECONDS, eventually
from tests.support.stage import Stage, scripted, task, until


def test_who_works_is_told_whoever_has_been_killed(local_stage: Stage, tmp_path: Path) -> None:
    stage, gate = local_stage, tmp_path / "gate"
    run = stage.start(task("one", scripted(until(gate), Say("done"))))
    name = f"{run.id}/one"
    stage.until(name, lambda session: session.cli_session)

    def who() -> Attendance:
        return attendance(api.find_run(run.id, places=stage.places), stage.places)

    assert who() is Attendance.WORKER
    stage.kill_worker()
    assert who() is Attendance.AGENT
    assert is_at_work(stage.session(name))
    runner = stage.runner(name)
    runner.kill()
    psutil.wait_procs([runner], timeout=SECONDS)
    assert who() is Attendance.NOBODY
    assert not is_at_work(stage.session(name))
    ensure_worker(stage.places)
    eventually(lambda: who() is Attendance.NOT_NEEDED, "the worker has closed it")
    assert stage.wait(run.id).state is RunState.FAILED


def test_asking_who_works_loads_nothing_heavy() -> None:
    code = "import sys, abreast.engine.common.attendance; print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"dbos", "sqlalchemy", "pydantic", "psutil", "alembic", "psycopg"}
    assert heavy.isdisjoint(done.stdout.split())
