"""A whole abreast of its own for each test: state folder, database, worker."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from abreast.places import Places
from tests.support.repos import Repo
from tests.support.stage import Stage


@pytest.fixture
def stage(tmp_path: Path, repo: Repo, database_url: str) -> Iterator[Stage]:
    """Run plans on `repo` with a real worker, on SQLite and on PostgreSQL."""
    with Stage(Places(tmp_path / "state", database_url).make(), repo) as built:
        yield built


@pytest.fixture
def local_stage(tmp_path: Path, repo: Repo) -> Iterator[Stage]:
    """The same on SQLite alone, for what does not depend on the database."""
    with Stage.on_sqlite(tmp_path / "state", repo) as built:
        yield built
