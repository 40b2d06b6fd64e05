"""A queue of a repository of the test's own, without a worker."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from abreast.engine.working.session import jobs
from abreast.errors import WorkerError
from abreast.places import Places
from tests.engine.working.landing.queue_world import QueueWorld
from tests.support.homes import move_to
from tests.support.repos import Repo


def _no_worker(places: Places) -> NoReturn:
    """The runner of a hook starts no worker when it ends: the test is one."""
    raise WorkerError(f"none for {places.state}")


@pytest.fixture
def opened(
    tmp_path: Path, migrated_file: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[Repo], QueueWorld]]:
    """Return what opens the queue of a repository."""
    move_to(tmp_path / "home", monkeypatch)
    monkeypatch.setattr(jobs, "successor", _no_worker)
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
