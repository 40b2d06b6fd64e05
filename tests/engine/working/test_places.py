"""Several state folders on one database: one worker, and it touches what is its own alone."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from abreast import api
from abreast.engine.client.requests import connect
from abreast.engine.common.home import foreign_runs
from abreast.engine.common.worker_process import ensure_worker
from abreast.errors import WorkerError
from abreast.model.moves import Say, Write
from abreast.model.session import RunState
from abreast.places import Places
from abreast.process.tree import sweep
from abreast.store.holders import holders, this_host
from tests.support.databases import Postgres
from tests.support.deadlines import SECONDS, eventually
from tests.support.repos import Repo
from tests.support.stage import Stage, scripted, task, until, writes

pytestmark = pytest.mark.usefixtures("as_for_users")


def test_a_second_machine_is_refused_by_name_and_takes_nothing(
    postgres: Postgres, tmp_path: Path, repo: Repo
) -> None:
    gate = tmp_path / "gate"
    slow = scripted(Write("one.txt", "x"), until(gate), Say("done"))
    with postgres.database() as url, Stage(Places(tmp_path / "a", url).make(), repo) as first:
        run = first.start(task("one", slow))
        first.until(f"{run.id}/one", lambda session: session.cli_session)
        second = Places(tmp_path / "b", url).make()
        with pytest.raises(WorkerError) as refused, connect(second):
            pass
        assert refused.value.message.startswith(f"the worker of {first.places.state} on ")
        assert this_host() in refused.value.message
        assert "ABREAST_DB" in (refused.value.hint or "")
        with pytest.raises(WorkerError, match=r"the worker did not start: .*the worker of "):
            ensure_worker(second)
        assert [run.id for run in api.runs(places=second)] == [run.id]  # looking is allowed

        first.kill_worker()  # its agent goes on, and so it still has work here
        with pytest.raises(WorkerError, match=f"runs of another state folder.*: {run.id}") as told:
            ensure_worker(second)
        assert "abreast worker --take-over" in told.value.message
        with pytest.raises(WorkerError, match="runs of another state folder"), connect(second):
            pass
        assert first.runner(f"{run.id}/one").is_running()
        gate.touch()
        assert first.wait(run.id).state is RunState.DONE
        first.end_worker()
        assert holders(url) == []

        with Stage(second, repo) as stage:  # its turn
            assert stage.run(task("two", writes("two.txt"))).state is RunState.DONE


def test_what_a_dead_machine_left_is_taken_over_when_asked_for(
    postgres: Postgres, tmp_path: Path, repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = tmp_path / "gate"
    slow = scripted(Write("one.txt", "x"), until(gate), Say("done"))
    with postgres.database() as url, Stage(Places(tmp_path / "a", url).make(), repo) as first:
        run = first.start(task("one", slow), task("two", writes("two.txt"), needs=("one",)))
        first.until(f"{run.id}/one", lambda session: session.cli_session)
        first.kill_worker()
        job = first.directory(f"{run.id}/one") / "agent" / "job.json"
        sweep(json.loads(job.read_text())["marker"])  # its agents died with it
        shutil.rmtree(first.places.worktrees)
        repo.git("worktree", "prune")
        second = Places(tmp_path / "b", url).make()
        assert foreign_runs(second) == [run.id]
        monkeypatch.setenv("ABREAST_STATE_DIR", str(second.state))
        monkeypatch.setenv("ABREAST_DB", url)
        argv = [sys.executable, "-m", "abreast", "worker", "--take-over", "--idle-exit", "1"]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=SECONDS, check=False)
        assert done.returncode == 0, done.stderr
        with Stage(second, repo) as stage:
            assert stage.wait(run.id).state is RunState.FAILED  # what had begun is not here
            assert foreign_runs(second) == []
            assert stage.run(task("again", writes("one.txt"))).state is RunState.DONE


def test_a_runner_that_ends_sees_that_a_worker_is_there(stage: Stage, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    run = stage.start(task("one", scripted(Write("one.txt", "x"), until(gate), Say("done"))))
    stage.until(f"{run.id}/one", lambda session: session.cli_session)
    stage.kill_worker()
    gate.touch()
    # Nobody calls: only the database is looked at.
    ended = eventually(lambda: _ended(stage, run.id), "somebody has gone on with it")
    assert ended.state is RunState.DONE


def _ended(stage: Stage, run: str) -> object:
    found = api.find_run(run, places=stage.places)
    return found if found.state.final else None
