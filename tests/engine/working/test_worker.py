"""The worker: one for each state folder, there when it is needed, gone when it is not."""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import psycopg
import pytest

from abreast.engine.client.requests import connect
from abreast.engine.common.worker_process import TAKEN, ensure_worker
from abreast.errors import WorkerError
from abreast.model.moves import Say, Shell, Write
from abreast.model.session import RunState
from abreast.places import Places
from tests.support.databases import Postgres
from tests.support.deadlines import SECONDS, eventually
from tests.support.repos import Repo
from tests.support.stage import Stage, scripted, task, writes

pytestmark = pytest.mark.usefixtures("as_for_users")


def another_worker(stage: Stage) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "abreast.engine.working.worker", "--state", str(stage.places.state)],
        env={**os.environ, "ABREAST_DB": stage.places.database},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def test_a_second_worker_is_refused(stage: Stage) -> None:
    ensure_worker(stage.places)
    first = stage.worker()
    refused = another_worker(stage)
    assert refused.returncode == TAKEN
    assert refused.stderr == f"another worker uses {stage.places.state}\n"
    assert stage.worker() == first
    assert ensure_worker(stage.places) is False
    assert stage.run(task("one", writes("one.txt"))).state is RunState.DONE


def test_many_clients_at_once_start_one_worker(local_stage: Stage) -> None:
    stage = local_stage
    with ThreadPoolExecutor(6) as pool:
        started = list(pool.map(ensure_worker, [stage.places] * 6))
    assert any(started)
    first = stage.worker()
    assert first is not None
    # Those that found the place taken are gone, or on their way out.
    mine = psutil.Process().children()
    workers = [child for child in mine if str(stage.places.state) in cmd(child)]
    _, alive = psutil.wait_procs([child for child in workers if child != first], timeout=SECONDS)
    assert alive == []
    assert stage.worker() == first
    assert stage.run(task("one", writes("one.txt"))).state is RunState.DONE


def cmd(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def test_what_is_queued_while_a_worker_leaves_is_done(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ABREAST_IDLE_EXIT", "0.01")
    for number in range(4):
        run = stage.run(task(f"t{number}", writes("one.txt")))  # ends, and the worker leaves
        assert run.state is RunState.DONE
    eventually(lambda: stage.worker() is None, "the worker has left")
    log = (stage.places.logs / "worker.log").read_text()
    # One that was started while the last one left may have found its place taken.
    assert set(log.splitlines()) <= {f"another worker uses {stage.places.state}"}


@pytest.mark.parametrize("name", ["ABREAST_IDLE_EXIT", "ABREAST_MAX_SESSIONS"])
@pytest.mark.parametrize("value", ["abc", "-1", "nan", "inf"])
def test_a_setting_that_makes_no_sense_is_told_before_anything_happens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    places = Places(tmp_path / "state", f"sqlite:///{tmp_path / 'state' / 'abreast.db'}")
    with pytest.raises(WorkerError, match=f"{name} is a number from . on, not '{value}'") as told:
        connect(places).__enter__()
    assert told.value.hint == f"change it, or `unset {name}`"
    assert not places.state.exists()


def test_the_worker_is_private(local_stage: Stage) -> None:
    stage = local_stage
    stage.run(task("one", writes("one.txt")))
    process = stage.worker()
    assert process is not None
    # Anyone may read a command line, and a database's URL may hold a password.
    assert stage.places.database not in process.cmdline()
    for folder in (stage.places.state, *stage.places.state.iterdir()):
        assert folder.stat().st_mode & 0o077 == 0, folder


@pytest.fixture
def server(postgres: Postgres) -> Iterator[tuple[psycopg.Connection, str]]:
    """A connection to the server for making trouble, and the URL of a database on it."""
    with (
        postgres.database() as url,
        psycopg.connect(postgres.url("postgres"), autocommit=True) as connection,
    ):
        yield connection, url


def test_a_database_that_is_away_for_a_while_fails_nothing(
    server: tuple[psycopg.Connection, str], tmp_path: Path, repo: Repo
) -> None:
    connection, url = server
    name = url.partition("@/")[2].partition("?")[0]
    begun, gate = tmp_path / "begun", tmp_path / "gate"
    waits = Shell(f"echo x >> {begun}; while [ ! -e {gate} ]; do sleep 0.02; done")
    with Stage(Places(tmp_path / "state", url).make(), repo) as stage:
        run = stage.start(task("one", scripted(waits, Write("one.txt", "x"), Say("done"))))
        eventually(begun.exists, "the agent is at work")
        result = stage.directory(f"{run.id}/one") / "agent/result.json"
        connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
        )
        gate.touch()
        eventually(result.exists, "the agent has ended, and nobody can write that down")
        connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        ended = stage.wait(run.id)
        assert ended.state is RunState.DONE, ended.sessions[0].reason
        assert begun.read_text() == "x\n"
