"""A runner that waits for its job: it does what one that is started for a job does."""

import asyncio
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from abreast.agents.base import Command
from abreast.engine.working.session.jobs import Order, run_job
from abreast.engine.working.session.spare import SpareRunners
from abreast.model.events import Outcome
from abreast.model.limits import Limits
from abreast.process.tree import MARKER, marked
from abreast.runner.job import load_job, load_runner
from tests.support.deadlines import MINUTES, SECONDS


@pytest.fixture
def spares() -> Iterator[SpareRunners]:
    found = SpareRunners()
    yield found
    found.discard()


def told(folder: Path, spares: SpareRunners, name: str) -> Mapping[str, object]:
    """Run a job that tells how it finds the world."""
    script = (
        "import json, os, sys; print(json.dumps([dict(os.environ), os.getcwd(), sys.stdin.read(),"
        " os.getpgid(0) == os.getpid(), sorted(os.listdir('/proc/self/fd'))]))"
    )
    env = {"PATH": os.environ["PATH"], "A_NAME": "v\udcff", MARKER: "none"}
    limits = Limits(minutes=MINUTES, idle_minutes=0)
    order = Order(Command(("python3", "-c", script), env), folder, limits, folder / "stop")
    result = asyncio.run(run_job(folder / name, lambda: order, spares=spares))
    assert result.verdict.outcome is Outcome.OK, result.verdict
    job, runner = load_job(folder / name), load_runner(folder / name)
    assert runner is not None
    assert not runner.alive
    found, *rest = json.loads((folder / name / "stream.jsonl").read_text())
    assert found.pop(MARKER) == job.marker
    assert (folder / name / "runner.log").read_text() == ""
    return {"env": found, "rest": rest, "marker": job.marker, "pid": runner.pid}


def test_a_job_finds_the_world_as_under_a_runner_of_its_own(
    tmp_path: Path, spares: SpareRunners
) -> None:
    own = told(tmp_path, spares, "own")
    spares.prepare(os.environ | {"SECRET_TOKEN": "x"}, more=False)
    waiting = spares._waiting
    assert waiting is not None
    taken = told(tmp_path, spares, "taken")
    assert (taken["pid"], taken["marker"]) == (waiting.process.pid, waiting.marker)
    assert (taken["env"], taken["rest"]) == (own["env"], own["rest"])
    assert spares._waiting is None


def test_one_that_has_ended_is_no_loss(tmp_path: Path, spares: SpareRunners) -> None:
    spares.prepare(os.environ, more=True)
    first = spares._waiting
    assert first is not None
    first.process.kill()
    first.process.wait(SECONDS)
    assert told(tmp_path, spares, "one")["pid"] != first.process.pid
    first.process.communicate()
    second = spares._waiting  # another was started when that was found
    assert second is not None
    assert told(tmp_path, spares, "two")["pid"] == second.process.pid


def test_one_that_is_not_needed_ends_with_its_input(spares: SpareRunners) -> None:
    spares.prepare(os.environ, more=False)
    waiting = spares._waiting
    assert waiting is not None
    assert [one.pid for one in marked(waiting.marker)] == [waiting.process.pid]
    assert waiting.process.stdin is not None
    waiting.process.stdin.close()
    assert waiting.process.wait(SECONDS) == 0
