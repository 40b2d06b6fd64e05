"""What abreast itself gets wrong ends what it was about, is told, and holds up nobody.

The database refuses what a workflow writes, by triggers: no error of ours is made up.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest

from abreast import api
from abreast.engine.client.requests import connect
from abreast.engine.working import giving_up
from abreast.engine.working.session.context import Engine
from abreast.model.session import LandMode, LandState, RunState, SessionState
from tests.support.repos import Repo
from tests.support.stage import Stage, task, writes


class MishapStage(Stage):
    """A stage whose worker meets mishaps: its log has their traces."""

    def _check_logs(self) -> None:
        assert "Traceback" in self._worker_said()

    def refuse(self, table: str, when: str) -> None:
        """Have the database refuse changes of rows of `table`, `when` that is so."""
        with closing(sqlite3.connect(self.places.state / "abreast.db")) as db, db:
            db.execute(
                f"CREATE TRIGGER refuse_{uuid4().hex} BEFORE UPDATE ON abreast_{table} WHEN {when}"
                " BEGIN SELECT RAISE(ABORT, 'refused for a test'); END"
            )


@pytest.fixture
def mishaps(tmp_path: Path, repo: Repo) -> Iterator[MishapStage]:
    with MishapStage.on_sqlite(tmp_path / "state", repo) as stage:
        yield stage


def test_what_cannot_be_recorded_of_a_landing_is_told_in_other_words(
    mishaps: MishapStage,
) -> None:
    lands = "NEW.landing = 'landed' AND OLD.landing = 'queued'"
    mishaps.refuse("sessions", f"{lands} AND NEW.task = 'bad' AND NEW.reason = ''")
    mishaps.refuse("sessions", f"{lands} AND NEW.task = 'worse'")
    tasks = [task(name, writes(f"{name}.txt")) for name in ("bad", "worse", "good")]
    run = mishaps.run(*tasks, land=LandMode.MERGE)
    bad, worse, good = run.sessions
    assert run.state is RunState.FAILED
    assert (bad.landing, good.landing) == (LandState.LANDED, LandState.LANDED)
    assert bad.reason.startswith("abreast failed: IntegrityError(")
    assert "refused for a test" in bad.reason
    assert bad.hint == "please report this; the worker's log has the trace"
    assert worse.landing is LandState.QUEUED
    assert api.stop(run.id, places=mishaps.places) == []


def test_a_run_that_cannot_be_opened_or_closed_has_failed(mishaps: MishapStage) -> None:
    mishaps.refuse("runs", "NEW.state = 'running' AND NEW.land = 'none'")
    mishaps.refuse("runs", "NEW.state = 'done' AND NEW.land = 'merge'")
    unopened = mishaps.run(task("one", writes("one.txt")), land=LandMode.NONE)
    assert unopened.state is RunState.FAILED
    assert unopened.sessions[0].state is SessionState.SKIPPED
    assert unopened.sessions[0].reason.startswith("abreast failed: IntegrityError(")
    unclosed = mishaps.run(task("two", writes("two.txt")), land=LandMode.MERGE)
    assert unclosed.state is RunState.FAILED
    assert unclosed.note.startswith("abreast failed: IntegrityError(")
    assert unclosed.sessions[0].landing is LandState.LANDED


def test_a_session_whose_end_cannot_be_written_ends_in_other_words(mishaps: MishapStage) -> None:
    ends = "NEW.state IN ('done', 'unknown') AND NEW.task = 'bad'"
    mishaps.refuse("sessions", f"{ends} AND NEW.reason NOT LIKE 'abreast failed%'")
    run = mishaps.run(
        task("bad", writes("bad.txt")),
        task("good", writes("good.txt")),
        task("next", writes("next.txt"), needs=("bad",)),
        land=LandMode.NONE,
    )
    bad, good, following = run.sessions
    assert run.state is RunState.FAILED
    assert (bad.state, good.state) == (SessionState.UNKNOWN, SessionState.DONE)
    assert bad.reason.startswith("abreast failed: ")
    assert following.reason == "needs bad, which is unknown"


def test_a_turn_that_is_given_up_ends_the_landings_that_wait_and_they_land_again(
    local_stage: Stage,
) -> None:
    stage = local_stage
    run = stage.run(task("one", writes("one.txt")), task("two", writes("two.txt")))
    stage.end_worker()  # we are the worker now
    with connect(stage.places) as client:
        names = [session.id for session in run.sessions]
        generation = client.store.request_landing(run.id, names, LandMode.MERGE, "main")
        engine = Engine(stage.places, client.store, client.reader)
        giving_up.end_landings(engine, run.id, [], "nobody planned for that")
        giving_up.end_run(engine, run.id, generation - 1, "of an older request")
        assert (found := client.reader.run(run.id)) is not None
        assert found.state is RunState.LANDING
        giving_up.end_run(engine, run.id, generation, "nobody planned for that")
        assert (found := client.reader.run(run.id)) is not None
    assert found.state is RunState.FAILED
    assert {one.landing for one in found.sessions} == {LandState.BOUNCED}
    assert {one.reason for one in found.sessions} == {"nobody planned for that"}
    landed = api.land(run.id, places=stage.places)
    assert {one.landing for one in landed.sessions} == {LandState.LANDED}
