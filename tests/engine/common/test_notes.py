"""What a user should know before a run, though it stops nothing."""

from abreast.model.limits import Limits
from tests.support.stage import Stage, task, writes


def test_a_limit_that_cannot_trip_is_told(shared_stage: Stage) -> None:
    limits = Limits(minutes=1, usd=2.0)
    run = shared_stage.start(task("one", writes("one.txt"), limits=limits))
    assert "one: " in run.note
    assert "states no cost, so the limit `usd` cannot trip" in run.note


def test_uncommitted_changes_are_told(shared_stage: Stage) -> None:
    shared_stage.repo.write({"README.md": "edited\n"})
    run = shared_stage.start(task("one", writes("one.txt")))
    assert "uncommitted changes will not be seen by the sessions: 1 changed" in run.note
