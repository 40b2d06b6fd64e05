"""The database's server is stopped and started in the middle: the worker waits and goes on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from abreast import api
from abreast.cli.edge import guard
from abreast.errors import StoreError
from abreast.model.moves import Say, Write
from abreast.model.session import LandMode, LandState, RunState
from abreast.places import Places
from abreast.runner.job import load_result
from tests.support.databases import Postgres, bring_up_to_date
from tests.support.deadlines import eventually
from tests.support.repos import Repo
from tests.support.stage import Stage, scripted, task, until


@pytest.fixture
def on_server(own_postgres: Postgres, tmp_path: Path, repo: Repo) -> Iterator[Stage]:
    with own_postgres.database() as url:
        bring_up_to_date(url)
        with Stage(Places(tmp_path / "state", url).make(), repo) as built:
            yield built


def test_a_server_that_is_stopped_and_started_costs_nothing(
    on_server: Stage,
    own_postgres: Postgres,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    stage, go = on_server, tmp_path / "go"
    moves = (until(go), Write("one.txt", "one"), Say("done"))
    run = stage.start(
        task("one", scripted(*moves), verify="test -e one.txt"),
        task("two", scripted(Write("two.txt", "two"), Say("done")), needs=("one",)),
        land=LandMode.MERGE,
    )
    eventually(lambda: stage.has_begun(f"{run.id}/one"), "its agent")
    job, worker = stage.directory(f"{run.id}/one") / "agent", stage.worker()
    assert worker is not None

    own_postgres.stop()
    with pytest.raises(StoreError, match="the database at its server cannot be read"):
        api.runs(places=stage.places)
    with monkeypatch.context() as patch:  # the server that is started later is not to have these
        patch.setenv("ABREAST_STATE_DIR", str(stage.places.state))
        patch.setenv("ABREAST_DB", stage.places.database)
        patch.chdir(stage.repo.path)
        for line in (("status",), ("resume", run.id), ("land", f"{run.id}/one")):
            capsys.readouterr()
            assert guard(line) == 1
            said = capsys.readouterr().err
            assert said.startswith("abreast: the database"), said
            assert "whether its server is running" in said
    go.touch()  # its agent ends while nobody can write that down
    eventually(lambda: load_result(job) is not None, "the result")

    own_postgres.start()
    ended = stage.wait(run.id)
    assert ended.state is RunState.DONE, [(s.id, s.state, s.reason) for s in ended.sessions]
    assert {session.landing for session in ended.sessions} == {LandState.LANDED}
    assert {session.attempt for session in ended.sessions} == {1}
    assert worker.is_running()  # the one that has waited
