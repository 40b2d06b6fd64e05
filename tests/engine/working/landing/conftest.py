"""A queue of a repository of the test's own, without a worker."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.engine.working.landing.queue_world import QueueWorld
from tests.support.homes import move_to
from tests.support.repos import Repo


@pytest.fixture
def opened(
    tmp_path: Path, migrated_file: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[Repo], QueueWorld]]:
    """Return what opens the queue of a repository."""
    move_to(tmp_path / "home", monkeypatch)
    worlds = list[QueueWorld]()

    def open_world(repo: Repo) -> QueueWorld:
        state = tmp_path / f"state-{len(worlds)}"
        state.mkdir()
        shutil.copy(migrated_file, state / "abreast.db")
        worlds.append(QueueWorld(state, repo))
        return worlds[-1]

    yield open_world
    for world in worlds:
        world.close()
