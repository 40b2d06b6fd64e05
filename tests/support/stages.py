"""A whole abreast for each test: state folder, database, worker. Or one that many use."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from abreast.engine.common.worker_process import ensure_worker
from abreast.places import Places
from tests.support.databases import Postgres
from tests.support.homes import move_to
from tests.support.repos import Repo
from tests.support.stage import SharedStage, Stage


@pytest.fixture
def as_for_users(monkeypatch: pytest.MonkeyPatch) -> None:
    """The workers of a stage are started as those of users, not forked."""
    monkeypatch.setattr(Stage, "forks", False)


@pytest.fixture
def stage(tmp_path: Path, repo: Repo, migrated_url: str) -> Iterator[Stage]:
    """Run plans on `repo` with a real worker, on SQLite and on PostgreSQL."""
    with Stage(Places(tmp_path / "state", migrated_url).make(), repo) as built:
        yield built


@pytest.fixture
def local_stage(tmp_path: Path, repo: Repo) -> Iterator[Stage]:
    """The same on SQLite alone, for what does not depend on the database."""
    with Stage.on_sqlite(tmp_path / "state", repo) as built:
        yield built


@pytest.fixture
def shared_stage(warm: Places, repo: Repo) -> Iterator[Stage]:
    """The same again, for what leaves the worker alone: it need not be started each time.

    There are other tests' runs in its database, and the worker has another HOME.
    """
    with SharedStage(warm, repo) as built:
        yield built


@pytest.fixture(params=["sqlite", "postgres"])
def shared_stage_on_both(request: pytest.FixtureRequest, repo: Repo) -> Iterator[Stage]:
    """Such a stage on SQLite, and one on PostgreSQL."""
    warm = {"sqlite": "warm", "postgres": "warm_on_postgres"}[request.param]
    with SharedStage(request.getfixturevalue(warm), repo) as built:
        yield built


@pytest.fixture(scope="session")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Places]:
    """The state folder of an abreast whose worker is there."""
    top = tmp_path_factory.mktemp("shared")
    with _warmed(top, f"sqlite:///{top / 'state' / 'abreast.db'}") as places:
        yield places


@pytest.fixture(scope="session")
def warm_on_postgres(
    tmp_path_factory: pytest.TempPathFactory, postgres: Postgres, migrated_postgres: str
) -> Iterator[Places]:
    """The same with its database on a server."""
    with (
        postgres.database(migrated_postgres) as url,
        _warmed(tmp_path_factory.mktemp("shared"), url) as places,
    ):
        yield places


@contextmanager
def _warmed(top: Path, url: str) -> Iterator[Places]:
    with Stage(Places(top / "state", url).make(), Repo(top)) as stage:
        with pytest.MonkeyPatch.context() as patch:
            move_to(top / "home", patch)
            patch.setenv("ABREAST_IDLE_EXIT", "86400")
            ensure_worker(stage.places)
        stage.no_more_workers()
        try:
            yield stage.places
        finally:
            stage.signal_worker(signal.SIGCONT)  # one that stands still does not hear of its end
