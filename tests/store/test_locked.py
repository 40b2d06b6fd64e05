"""A database that another process has locked: whoever needs it waits, says so, and goes on."""

import logging
import threading
from pathlib import Path

import pytest

from abreast.errors import StoreError
from abreast.model.session import RunState
from abreast.store import direct, engine
from abreast.store.engine import make_engine, transaction
from tests.support.database_faults import locked, release
from tests.support.deadlines import SECONDS, eventually
from tests.support.stage import Stage, task, writes


def test_client_and_worker_wait_say_so_and_go_on(
    local_stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage = local_stage
    run = stage.run(task("zero", writes("zero.txt")))
    assert run.state is RunState.DONE
    file = stage.places.state / "abreast.db"
    started: list[str] = []
    with locked(file) as holder:
        asked = threading.Thread(
            target=lambda: started.append(stage.start(task("one", writes("one.txt"))).id)
        )
        asked.start()
        words = f"waiting for the database {file}, which another process has locked"
        eventually(lambda: words in caplog.text, "the client says that it waits")
        assert not started
        release(holder)
    asked.join(SECONDS)
    assert stage.wait(started[0]).state is RunState.DONE


def test_who_waits_too_long_is_told_who_to_look_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(engine, "SAID_AFTER", 0.05)
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0.1)
    monkeypatch.setattr(direct, "SAID_AFTER", 0.05)
    monkeypatch.setattr(direct, "BUSY_SECONDS", 0.1)
    file = tmp_path / "abreast.db"
    caplog.set_level(logging.WARNING)
    opened = make_engine(f"sqlite:///{file}")
    with transaction(opened):
        pass
    with locked(file) as holder:
        told = pytest.raises(StoreError, match="has been locked by another process")
        with told as found, transaction(opened):
            pass
        assert "fuser" in str(found.value.hint)
        assert caplog.text.count("waiting for the database") == 1
        release(holder)
    with transaction(opened):  # nothing is left of it
        pass
    opened.dispose()


def test_the_direct_way_waits_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(direct, "SAID_AFTER", 0.05)
    url = f"sqlite:///{tmp_path / 'abreast.db'}"
    direct.bring_up_to_date(url)
    wrote = threading.Event()

    def write() -> None:
        with direct.open_transaction(url, "abreast_transcripts"):
            wrote.set()

    with locked(tmp_path / "abreast.db") as holder:
        waiting = threading.Thread(target=write)
        waiting.start()
        eventually(lambda: "waiting for the database" in caplog.text, "it says that it waits")
        assert not wrote.is_set()
        release(holder)
    waiting.join(SECONDS)
    assert wrote.is_set()
