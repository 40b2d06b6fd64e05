"""A whole abreast of its own for tests of sessions."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.repos import Repo
from tests.support.stage import Stage


@pytest.fixture
def stage(tmp_path: Path, repo: Repo) -> Iterator[Stage]:
    """Run plans on `repo` with a real worker."""
    with Stage.on_sqlite(tmp_path / "state", repo) as built:
        yield built
