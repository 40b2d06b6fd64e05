"""The event loop, on which all sessions of a worker live, never waits for the database."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from abreast import api
from abreast.model.moves import Fail, Say, Write
from abreast.model.session import LandMode, LandState, RunState, SessionState
from abreast.model.task import DeliveryState
from tests.support.deadlines import eventually
from tests.support.stage import Stage, scripted, task, until, writes

# A worker that notes every statement which our store sends from a thread with a running loop.
_WORKER = """
import asyncio, sys, traceback
from pathlib import Path
import sqlalchemy as sa
from abreast.engine.working.worker import main
from abreast.places import Places

state, database, notes = sys.argv[1:]
sent = set()

def note(connection, cursor, statement, *_):
    frames = [frame for frame, _ in traceback.walk_stack(None)]
    names = {frame.f_globals.get("__name__", "") for frame in frames}
    if not any(name.startswith("abreast.store") for name in names):
        return  # a statement of the workflow engine's own
    try:
        asyncio.get_running_loop()
        where = "loop"
    except RuntimeError:
        where = "thread"
    with open(notes, "a") as file:
        file.write(f"{where} {statement.split()[0]} {'; '.join(sorted(names))}\\n")

sa.event.listen(sa.Engine, "before_cursor_execute", note)
main(Places(Path(state), database), None)
"""


@pytest.fixture
def notes(local_stage: Stage, tmp_path: Path) -> Iterator[Path]:
    places, file, log = local_stage.places, tmp_path / "notes", tmp_path / "log"
    argv = [sys.executable, "-c", _WORKER, str(places.state), places.database, str(file)]
    with log.open("wb") as output:
        worker = subprocess.Popen(argv, env={**os.environ}, stderr=output)
    eventually(lambda: local_stage.worker() or worker.poll() is not None, "the worker is there")
    yield file
    worker.terminate()
    assert worker.wait(60) == 0, log.read_text()


def test_no_statement_of_a_run_a_landing_or_a_delegation_holds_up_the_loop(
    local_stage: Stage, notes: Path, tmp_path: Path
) -> None:
    stage, gate, checks = local_stage, tmp_path / "gate", {"setup": "true", "verify": "true"}
    run = stage.start(
        task("one", scripted(Write("a.txt", "a"), Say("half"), until(gate), Say("done")), **checks),
        task("two", writes("b.txt"), needs=("one",), **checks),
        land=LandMode.MERGE,
    )
    stage.until(f"{run.id}/one", lambda session: session.turns)  # how far it is has been noted
    gate.touch()
    ended = stage.wait(run.id)
    assert [s.landing for s in ended.sessions] == [LandState.LANDED] * 2, ended

    lost = stage.run(task("one", scripted(Fail("no"))), task("two", writes("c"), needs=("one",)))
    assert (lost.state, lost.sessions[1].state) == (RunState.FAILED, SessionState.SKIPPED)

    answer = api.delegate(
        "What is in the README?",
        agent=scripted(Say("not of the shape that was asked for")),
        returns="bullets",
        repo=stage.repo.path,
        places=stage.places,
    )
    assert (answer.outcome, answer.repairs) == (DeliveryState.FAILED, 2)

    seen = notes.read_text().splitlines()
    assert [one for one in seen if one.startswith("loop")] == []
    for verb in ("thread SELECT", "thread INSERT", "thread UPDATE"):
        assert any(one.startswith(verb) for one in seen), verb
