"""A worker tells a person that a session needs them, and keeps the line for prompts."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from abreast import api
from abreast.engine.common import faces_open, status_line
from abreast.engine.working.alerting import AlertWatch
from abreast.model.session import LandMode
from abreast.places import find_places
from tests.support.deadlines import eventually
from tests.support.repos import Repo
from tests.support.stage import Stage, scripted, task, until, writes

REVIEW = {"land": LandMode.REVIEW}


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file, config = tmp_path / "told.json", tmp_path / "config.toml"
    config.write_text(f"[notify]\ncommand = 'cat >> {file}; echo >> {file}'\ndesktop = false\n")
    monkeypatch.setenv("ABREAST_CONFIG", str(config))
    return file


def alerts(file: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def test_a_worker_tells_each_need_once(stage: Stage, told: Path) -> None:
    run = stage.run(task("one", writes("one.txt")), **REVIEW)
    eventually(lambda: alerts(told) != [])
    assert alerts(told) == [
        {
            "session": f"{run.id}/one",
            "repo": str(stage.repo.path),
            "agent": "scripted",
            "kind": "review",
            "title": "one needs you (repo)",
            "text": "1 file for your review",
            "command": f"abreast land {run.id}/one --review",
        }
    ]
    stage.run(task("two", writes("two.txt")), **REVIEW)
    eventually(lambda: len(alerts(told)) > 1)
    assert [one["title"].split()[0] for one in alerts(told)] == ["one", "two"]


def test_nobody_is_told_twice_or_of_what_was_before(shared_stage: Stage, told: Path) -> None:
    stage = shared_stage
    stage.run(task("before", writes("before.txt")), **REVIEW)
    told.unlink(missing_ok=True)
    watch = AlertWatch(stage.places)
    try:
        watch.look()
        faces_open.note_open(stage.places)
        stage.run(task("seen", writes("seen.txt")), **REVIEW)
        watch.look()
        faces_open.note_closed(stage.places)
        stage.run(task("unseen", writes("unseen.txt")), **REVIEW)
        told.unlink(missing_ok=True)  # what the worker of this stage has said
        watch.look()
        watch.look()
    finally:
        watch.close()
    assert "unseen needs you (repo)" in {one["title"] for one in alerts(told)}
    assert not [one for one in alerts(told) if one["title"].startswith(("before", "seen "))]


def line_of(stage: Stage) -> str:
    env = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"]}
    env |= {"ABREAST_STATE_DIR": str(stage.places.state), "ABREAST_DB": stage.places.database}
    argv = (sys.executable, "-X", "importtime", "-m", "abreast", "status", "--line")
    done = subprocess.run(argv, env=env, capture_output=True, text=True, check=True)
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    # What the quick way does without.
    quick = loaded.isdisjoint({"click", "sqlite3", "dataclasses", "pathlib", "json"})
    return f"{done.stdout}{' quickly' if quick else ''}"


def test_the_line_is_kept_while_it_is_true(stage: Stage, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    assert line_of(stage) == "", "counted"
    run = stage.start(
        task("one", scripted(until(gate))), task("two", writes("two.txt"), after=("one",))
    )
    stage.until("one", lambda session: session.state == "running")
    assert line_of(stage).startswith("1 working, 1 waiting\n")
    # Now that a prompt has asked, the worker keeps it: also while things change.
    eventually(lambda: line_of(stage) == "1 working, 1 waiting\n quickly")
    gate.touch()
    stage.wait(run.id)
    eventually(lambda: line_of(stage) == " quickly")
    stage.end_worker()
    run = stage.run(task("three", writes("three.txt")), **REVIEW)
    eventually(lambda: line_of(stage).startswith("1 needs you\n"))


def test_the_line_of_a_worker_that_died_does_not_count(local_stage: Stage, tmp_path: Path) -> None:
    stage = local_stage
    stage.start(task("one", scripted(until(tmp_path / "gate"))))
    stage.until("one", lambda session: session.state == "running")
    assert line_of(stage).startswith("1 working\n")
    worker = stage.worker()
    assert worker is not None
    mark = status_line.process_mark(worker.pid)
    state = str(stage.places.state)
    stage.kill_worker()
    # Even one that had been written this moment.
    text = f"{status_line.mark(stage.places.database)}\n{mark}\nnonsense"
    (stage.places.state / status_line.FILE).write_text(text)
    assert status_line.read(state, stage.places.database) is None


def test_a_database_that_was_written_just_now_is_not_known(tmp_path: Path, repo: Repo) -> None:
    file = tmp_path / "a.db"
    file.write_text("one")
    assert status_line.mark(f"sqlite:///{file}") == ""
    old = time.time() - 5
    os.utime(file, (old, old))
    before = status_line.mark(f"sqlite:///{file}")
    assert before != ""
    file.with_name("a.db-wal").write_text("more")
    assert status_line.mark(f"sqlite:///{file}") != before
    assert status_line.mark("postgresql+psycopg://somewhere/x") == ""


@pytest.mark.parametrize("xdg", ["", "/else/where"])
def test_the_quick_way_finds_the_same_folder(monkeypatch: pytest.MonkeyPatch, xdg: str) -> None:
    from abreast.cli.line import state_of_user

    monkeypatch.delenv("ABREAST_STATE_DIR", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", xdg)
    if sys.platform == "linux":
        assert state_of_user() == str(find_places().state)
    assert api.status_line() == ""
