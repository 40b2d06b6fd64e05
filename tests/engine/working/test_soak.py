"""Many sessions of which some meet faults: each comes to the end that its fault leads to, once."""

import os
import random
from pathlib import Path

import pytest

from tests.support import metered_agent
from tests.support.reliability import record_soak
from tests.support.soaking import CONFLICT, KINDS, WORKER, Soak, landed
from tests.support.stage import Stage

# Read before a HOME of a test's own leaves nothing of ours in the environment.
GIVEN = os.environ.get("ABREAST_SOAK_SEED", "")
COUNT = int(os.environ.get("ABREAST_SOAK_SESSIONS", "1000"))
HOURS = 3600.0
# Of the worker's memory, from the second tenth of the sessions to the last. It is meant to be 1.10.
MOST_GROWTH = 1.20


def soak(stage: Stage, tmp_path: Path, count: int, kills: int) -> Soak:
    ground = tmp_path / "ground"
    ground.mkdir()
    seed = int(GIVEN or random.randrange(2**32))  # noqa: S311 - printed, so that it can be given
    print(f"\nABREAST_SOAK_SEED={seed}")  # noqa: T201
    return Soak(stage, ground, Path(os.environ["HOME"]), count, seed, kills)


@pytest.fixture
def metered(scratch_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ABREAST_AGENTS", metered_agent.__file__)


@pytest.mark.usefixtures("metered")
def test_each_kind_of_fault_leads_to_the_end_that_it_has(
    local_stage: Stage, tmp_path: Path
) -> None:
    small = soak(local_stage, tmp_path, 16, kills=1)
    small.run()
    assert set(small.met) == {*KINDS, WORKER}


@pytest.mark.product
@pytest.mark.timeout(12 * HOURS)
@pytest.mark.usefixtures("metered", "as_for_users")
def test_a_thousand_sessions_with_faults(stage: Stage, tmp_path: Path) -> None:
    many = soak(stage, tmp_path, COUNT, kills=COUNT // 50)
    many.run()
    assert set(many.met) == {*KINDS, WORKER}
    assert sum(landed(stage).values()) >= COUNT - many.met[CONFLICT]
    _, early, *_, late = many.figures()
    record_soak("SQLite" if "sqlite" in stage.places.database else "PostgreSQL", many)
    assert late.worker <= MOST_GROWTH * early.worker, (early, late)
    assert late.fork_server <= MOST_GROWTH * early.fork_server, (early, late)
    assert late.descriptors <= early.descriptors + 8, (early, late)
    assert late.threads <= early.threads + 12, (early, late)  # of pools that fill up to their most
