"""Clocks that are set and machines that sleep: limits, leases and durations stay what they are.

The machine's clock is never set: all of abreast asks for time through `process.clock`.
"""

import ast
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import abreast
from abreast.engine.common import worker_process
from abreast.engine.working.lease_thread import beat
from abreast.model.limits import Limits
from abreast.model.moves import Say, Write
from abreast.model.session import RunState
from abreast.places import Places
from abreast.process import clock
from abreast.runner.job import JobProgress
from abreast.runner.pump import Watch
from abreast.store.lease import acquire
from tests.support.deadlines import eventually
from tests.support.nursery import Forked, fork
from tests.support.repos import Repo
from tests.support.stage import Stage, scripted, task, until

HOURS = 3 * 3600.0
ASKED = {"time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "clock_gettime"}


def test_everything_asks_for_time_through_one_door() -> None:
    source = Path(abreast.__file__).parent
    found = []
    for file in source.rglob("*.py"):
        if file == source / "process/clock.py":
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module == "time":
                found += [str(file) for name in node.names if name.name in ASKED]
            is_clock = isinstance(node, ast.Attribute) and node.attr in ASKED
            if is_clock and isinstance(node.value, ast.Name) and node.value.id == "time":
                found.append(f"{file}:{node.lineno}")
    assert found == []


class Moved:
    """The clocks of this process, moved through their door."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.wall, self.asleep, self.awake = 0.0, 0.0, 0.0
        wall, boot, awake = clock.wall(), clock.boot(), clock.awake()
        patch.setattr(clock, "wall", lambda: wall + self.wall + self.asleep + self.awake)
        patch.setattr(clock, "boot", lambda: boot + self.asleep + self.awake)
        patch.setattr(clock, "awake", lambda: awake + self.awake)


@pytest.fixture
def moved(monkeypatch: pytest.MonkeyPatch) -> Moved:
    return Moved(monkeypatch)


@pytest.mark.parametrize("jump", ["wall +3 h", "wall -3 h", "asleep for 3 h"])
def test_no_limit_of_a_job_trips_and_none_is_forgotten(moved: Moved, jump: str) -> None:
    watch = Watch(Limits(minutes=60, idle_minutes=10))
    moved.awake += 60
    watch.seen()
    if jump.startswith("wall"):
        moved.wall += HOURS if "+" in jump else -HOURS
    else:
        moved.asleep += HOURS
    watch.go_on(waiting=False)
    assert watch.tripped(JobProgress(), os.getpid()) == ""
    for _ in range(60):  # it looks all the time
        moved.awake += 60
        watch.seen()
        watch.go_on(waiting=False)
    assert watch.tripped(JobProgress(), os.getpid()) == "the time limit of 60 minutes"


@pytest.mark.parametrize("jump", [HOURS, -HOURS])
def test_a_duration_is_what_has_passed(moved: Moved, jump: float) -> None:
    began = clock.now()
    moved.awake += 30
    moved.wall += jump
    assert clock.now().since(began) == pytest.approx(30, abs=0.01)
    moved.asleep += 100  # a person has waited through it
    assert clock.now().since(began) == pytest.approx(130, abs=0.01)


@pytest.mark.parametrize("jump", [HOURS, -HOURS])
def test_a_lease_is_renewed_whatever_the_wall_shows(
    moved: Moved, jump: float, migrated_url: str
) -> None:
    from abreast.store.engine import make_engine

    engine = make_engine(migrated_url)
    lease = acquire(engine, "m1", ttl=60)
    renewed = clock.boot()
    moved.wall += jump
    moved.awake += 10
    assert beat(lease, renewed) == (clock.boot(), "")
    lease.release()
    engine.dispose()


class MovedStage(Stage):
    """Its workers' clocks show what the file `clock` says."""

    clock: Path

    def _fork(self, places: Places) -> Forked:
        order = worker_process.successor(places)
        told = {
            "ABREAST_TEST_PRELUDE": str(Path(__file__).parents[2] / "support/moved_clock.py"),
            "ABREAST_TEST_CLOCK": str(self.clock),
        }
        forked = fork(replace(order, env={**order.env, **told}))
        self._forked.append(forked)
        return forked


@pytest.fixture
def moving(tmp_path: Path, repo: Repo) -> Iterator[MovedStage]:
    with MovedStage.on_sqlite(tmp_path / "state", repo) as built:
        built.clock = tmp_path / "clock"
        built.clock.write_text("0 0")
        yield built


@pytest.mark.parametrize("jump", ["10800 0", "-10800 0", "10800 10800"])
def test_a_session_goes_on_over_a_jump(moving: MovedStage, tmp_path: Path, jump: str) -> None:
    stage, go = moving, tmp_path / "go"
    run = stage.start(task("one", scripted(until(go), Write("one.txt", "one"), Say("done"))))
    eventually(lambda: stage.has_begun(f"{run.id}/one"), "its agent")
    scratch = stage.clock.with_suffix(".new")
    scratch.write_text(jump)
    scratch.replace(stage.clock)
    # Another begins and ends after it: its worker hears of it, and looks at all there is.
    other = stage.run(task("two", scripted(Write("two.txt", "two"), Say("done"))))
    assert other.state is RunState.DONE
    go.touch()
    ended = stage.wait(run.id)
    assert ended.state is RunState.DONE
    [session] = ended.sessions
    assert session.attempt == 1
    took = session.took(clock.now())
    slept = 10800.0 if jump.endswith("10800") else 0.0
    assert took is not None
    assert slept <= took < slept + 3000
