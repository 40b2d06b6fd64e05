"""A whole abreast of its own for tests of sessions."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from abreast.places import Places
from tests.support.repos import Repo
from tests.support.stage import Stage


@pytest.fixture
def stage(tmp_path: Path, repo: Repo) -> Iterator[Stage]:
    """Run plans on `repo` with a real worker."""
    state = tmp_path / "state"
    with Stage(Places(state, f"sqlite:///{state / 'abreast.db'}").make(), repo) as built:
        yield built
