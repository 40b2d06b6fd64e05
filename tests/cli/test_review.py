"""`abreast land --review` at a terminal: pages one by one, and what a person answers."""

import os
import sys
from pathlib import Path

import pytest

from abreast import api
from abreast.agents.base import Command
from abreast.model.session import LandState, SessionState
from tests.cli.test_edge import abreast
from tests.support.stage import Stage, task, writes
from tests.support.terminal import AtTerminal


@pytest.fixture
def environ(shared_stage: Stage, tmp_path: Path) -> dict[str, str]:
    places = shared_stage.places
    own = {"ABREAST_STATE_DIR": str(places.state), "ABREAST_DB": places.database, "PAGER": "cat"}
    return {**os.environ, **own, "TERM": "xterm", "PATH": "/usr/bin:/bin"}


def test_each_is_shown_and_done_with_as_the_person_says(
    shared_stage: Stage, environ: dict[str, str]
) -> None:
    stage = shared_stage
    names = ("first", "second", "third", "fourth")
    run = stage.run(*(task(name, writes(f"{name}.txt")) for name in names))
    argv = (sys.executable, "-m", "abreast", "land", run.id, "--review")
    with AtTerminal(Command(argv, env=environ), stage.repo.path) as person:
        person.until("---1of4---")
        person.until("firstisthere.")
        person.until("[q]uit")
        person.type("x\r")
        person.until("answerwithoneoftheletters")
        person.type("d\r")
        person.until("+new")
        person.type("l\r")
        person.until(f"{run.id}/first:landed")
        person.until("---2of4---")
        person.type("b\r")
        person.until("Whatshoulditdo")
        person.type("Say more.\r")
        person.until("---3of4---")
        person.type("s\r")
        person.until("---4of4---")
        person.type("q\r")
        person.until(f"{run.id}/secondgoesonwithyourremark")
        assert person.ended() == 1
    after = {s.task: s for s in stage.wait(run.id).sessions}
    assert [after[name].landing for name in names] == [LandState.LANDED, *[LandState.NONE] * 3]
    assert [after[name].attempt for name in names] == [1, 2, 1, 1]
    assert after["second"].state is SessionState.DONE
    assert "first.txt" in stage.repo.git("ls-tree", "--name-only", "main").splitlines()
    assert "Say more." in (stage.directory(f"{run.id}/second") / "prompt.md").read_text()


def test_without_a_terminal_it_asks_nobody(shared_stage: Stage, monkeypatch) -> None:
    stage = shared_stage
    run = stage.run(task("one", writes("one.txt")))
    monkeypatch.setenv("ABREAST_STATE_DIR", str(stage.places.state))
    monkeypatch.setenv("ABREAST_DB", stage.places.database)
    done = abreast("land", run.id, "--review")
    assert done.returncode == 2
    assert "`abreast show` prints the same pages" in done.stderr
    assert abreast("land", run.id, "--review", "--json").returncode == 2
    [session] = api.find_run(run.id, places=stage.places).sessions
    assert session.landing is LandState.NONE
