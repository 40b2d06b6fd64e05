"""A whole abreast for each test: state folder, database, worker. Or one that many use."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from abreast.engine.common.worker_process import ensure_worker
from abreast.places import Places
from tests.support.homes import move_to
from tests.support.repos import Repo
from tests.support.stage import SharedStage, Stage


@pytest.fixture
def stage(tmp_path: Path, repo: Repo, migrated_url: str) -> Iterator[Stage]:
    """Run plans on `repo` with a real worker, on SQLite and on PostgreSQL."""
    with Stage(Places(tmp_path / "state", migrated_url).make(), repo) as built:
        yield built


@pytest.fixture
def local_stage(tmp_path: Path, repo: Repo, migrated_file: Path) -> Iterator[Stage]:
    """The same on SQLite alone, for what does not depend on the database."""
    with Stage.on_sqlite(tmp_path / "state", repo) as built:
        shutil.copy(migrated_file, tmp_path / "state" / "abreast.db")
        yield built


@pytest.fixture
def shared_stage(warm: Places, repo: Repo) -> Iterator[Stage]:
    """The same again, for what leaves the worker alone: it need not be started each time.

    There are other tests' runs in its database, and the worker has another HOME.
    """
    with SharedStage(warm, repo) as built:
        yield built


@pytest.fixture(scope="session")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Places]:
    """The state folder of an abreast whose worker is there."""
    top = tmp_path_factory.mktemp("shared")
    with Stage.on_sqlite(top / "state", Repo(top)) as stage:
        with pytest.MonkeyPatch.context() as patch:
            move_to(top / "home", patch)
            patch.setenv("ABREAST_IDLE_EXIT", "86400")
            ensure_worker(stage.places)
        yield stage.places
