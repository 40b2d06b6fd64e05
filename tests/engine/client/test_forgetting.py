"""`abreast clean --history`: what is long over is forgotten; what somebody needs is not."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from abreast import api
from abreast.api.looking import unrecorded
from abreast.api.recovering import recover
from abreast.api.rescuing import kept_works
from abreast.api.running import clean, clean_history
from abreast.cli.edge import guard
from abreast.model.moves import Say, Write
from abreast.model.session import LandMode, Run
from abreast.process import clock
from tests.support.deadlines import eventually
from tests.support.stage import Stage, scripted, task, until, writes

DAY = 86_400.0


def be_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a hundred days later, for us alone."""
    now = clock.wall
    monkeypatch.setattr(clock, "wall", lambda: now() + 100 * DAY)


def rows(stage: Stage, run: str) -> int:
    """How many rows of all tables have to do with a run."""
    with closing(sqlite3.connect(stage.places.state / "abreast.db")) as connection:
        query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
        tables = [name for (name,) in connection.execute(query)]
        return sum(
            any(run in str(value) for value in row)
            for table in tables
            for row in connection.execute(f'SELECT * FROM "{table}"')  # noqa: S608
        )


def folders(stage: Stage, run: Run) -> list[Path]:
    return [one for one in stage.places.state.rglob(run.id) if "trash" not in one.parts]


def test_what_is_over_goes_and_what_is_needed_stays(
    local_stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage, go = local_stage, tmp_path / "go"
    landed = stage.run(task("one", writes("one.txt")), land=LandMode.MERGE)
    waiting = stage.run(task("two", writes("two.txt")))  # its worktree is there, nothing landed
    clean([landed.id], remove=True, places=stage.places)
    going = stage.start(task("slow", scripted(until(go), Write("a.txt", "a"), Say("done"))))
    eventually(lambda: stage.has_begun(f"{going.id}/slow"), "its agent")
    cache = stage.places.state / "gate" / "old.db"
    cache.parent.mkdir(exist_ok=True)
    cache.write_text("can be made again")
    os.utime(cache, (1, 1))
    be_later(monkeypatch)

    seen = clean_history(90, places=stage.places)
    assert [one.name for one in seen] == [str(cache), landed.id, waiting.id, going.id]
    kept = {one.name: one.kept for one in seen if one.kept}
    assert kept[waiting.id].startswith("the worktree of two is there")
    assert kept[going.id] == "it is running"
    assert rows(stage, landed.id)  # a look changes nothing
    assert cache.exists()
    before = rows(stage, waiting.id)

    done = clean_history(90, remove=True, places=stage.places)
    assert [(one.name, one.kept) for one in done] == [(one.name, one.kept) for one in seen]
    assert not cache.exists()
    assert (rows(stage, landed.id), folders(stage, landed)) == (0, [])
    assert rows(stage, waiting.id) == before
    assert [run.id for run in api.runs(places=stage.places)] == [going.id, waiting.id]
    assert unrecorded(places=stage.places) == []
    # What was kept under refs is there still; and nothing brings back what was forgotten.
    assert f"{landed.id}/one" in {one.session for one in kept_works(places=stage.places).works}
    assert recover(places=stage.places).runs == ()
    go.touch()
    stage.wait(going.id)

    # Its worktree is gone, and its branch waits to land.
    clean([waiting.id], remove=True, force=True, places=stage.places)
    stage.repo.git("branch", f"abreast/{waiting.id}/two", waiting.sessions[0].commit)
    kept = {one.name: one.kept for one in clean_history(90, places=stage.places)}
    assert kept[waiting.id].startswith("two has not landed")
    stage.repo.git("branch", "-D", f"abreast/{waiting.id}/two")
    assert not {one.name: one.kept for one in clean_history(90, places=stage.places)}[waiting.id]


def test_what_is_young_stays_and_the_command_says_so(
    local_stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stage = local_stage
    run = stage.run(task("one", writes("one.txt")), land=LandMode.MERGE)
    clean([], remove=True, places=stage.places)
    monkeypatch.setenv("ABREAST_STATE_DIR", str(stage.places.state))
    assert guard(["clean", "--history", "90d", "--remove"]) == 0
    assert "nothing to forget" in capsys.readouterr().err
    assert guard(["clean", "--history", "90d", run.id]) == 2
    assert guard(["clean", "--history", "soon"]) == 2
    be_later(monkeypatch)
    capsys.readouterr()
    assert guard(["clean", "--history", "90d"]) == 0
    said = capsys.readouterr()
    assert f"{run.id}" in said.out
    assert "1 old run: 1 can go" in said.out
    assert "next: the same with --remove" in said.err
    assert guard(["clean", "--history", "12w", "--remove", "--json"]) == 0
    assert not api.runs(places=stage.places)
