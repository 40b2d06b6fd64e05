"""Readers find runs and sessions by any name, change nothing, and load nothing heavy."""

import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from abreast.errors import NotFoundError, StoreError
from abreast.model.conflicts import WorkConflict
from abreast.model.session import LandState, RunState, SessionState
from abreast.store.direct import Query, open_snapshot
from abreast.store.engine import make_engine, transaction
from abreast.store.migrations import migrate
from abreast.store.reader import Reader
from abreast.store.rows import SessionUpdate
from abreast.store.writer import Store
from tests.store.samples import bring, make_run


@pytest.fixture
def three_runs(store):
    store.add_run(make_run("a-1", created=1.0), "{}")
    store.add_run(make_run("a-2", created=2.0), "{}")
    store.add_run(make_run("b-1", tasks=1, created=3.0), "{}")


def ids(runs):
    return [run.id for run in runs]


def test_runs_come_newest_first_with_their_sessions(three_runs, reader):
    assert ids(reader.runs()) == ["b-1", "a-2", "a-1"]
    assert ids(reader.runs(limit=2)) == ["b-1", "a-2"]
    assert [len(run.sessions) for run in reader.runs()] == [1, 2, 2]
    assert ids(reader.runs()[1].sessions) == ["a-2/t0", "a-2/t1"]


def test_all_runs_take_no_more_queries_than_one(three_runs, reader, monkeypatch):
    asked, execute = [], Query.__call__
    monkeypatch.setattr(
        Query, "__call__", lambda query, *told: asked.append(told) or execute(query, *told)
    )
    reader.run("a-1")
    alone = len(asked)
    assert len(reader.runs()) == len(reader.active()) == 3
    assert len(asked) == 3 * alone


def test_active_runs_are_those_that_have_not_ended(three_runs, reader, store):
    store.set_run_state("a-1", RunState.LANDING)
    store.set_run_state("a-2", RunState.DONE)
    assert ids(reader.active()) == ["b-1", "a-1"]
    for final in (state for state in RunState if state.final):
        store.resume("a-2", {})
        store.set_run_state("a-2", final)
        assert "a-2" not in ids(reader.active())


def test_a_run_is_found_by_its_id_by_a_prefix_or_as_the_newest(three_runs, reader):
    assert reader.run("a-1").id == "a-1"
    assert reader.run("a") is None
    assert reader.run_by_prefix("a-2").id == "a-2"
    assert reader.run_by_prefix("b").id == "b-1"
    assert reader.run_by_prefix().id == "b-1"


def test_an_id_wins_over_longer_ids_that_start_with_it(three_runs, reader, store):
    store.add_run(make_run("a-11"), "{}")
    assert reader.run_by_prefix("a-1").id == "a-1"


def test_a_prefix_must_name_one_run(three_runs, reader):
    with pytest.raises(NotFoundError, match="2 runs start with a") as found:
        reader.run_by_prefix("a")
    assert found.value.hint == "such as a-2, a-1"
    with pytest.raises(NotFoundError, match="there is no run %_"):
        reader.run_by_prefix("%_")


def test_without_any_run_there_is_no_newest_one(reader):
    with pytest.raises(NotFoundError, match="no run is on record"):
        reader.run_by_prefix()


def test_sessions_are_found_by_run_id_and_task(three_runs, reader):
    assert ids(reader.sessions("a-2")) == ["a-2/t0", "a-2/t1"]
    assert reader.session("a-2/t1").task == "t1"
    assert reader.session("a-2/t9") is None
    assert ids(reader.sessions_by_task("t1")) == ["a-2/t1", "a-1/t1"]
    assert reader.sessions("a-9") == reader.sessions_by_task("t9") == []


def test_events_go_on_after_the_last_one_seen(three_runs, reader, store):
    store.add_event("a-1/t0", "tool", "one")
    seen = reader.events("a-1/t0")
    store.add_event("a-1/t1", "tool", "of another session")
    store.add_event("a-1/t0", "tool", "two")
    more = reader.events("a-1/t0", after=seen[-1][0])
    assert [event.text for _, event in more] == ["two"]
    assert [event.text for _, event in reader.events("a-1", after=seen[-1][0])] == [
        "of another session",
        "two",
    ]


def test_a_run_and_its_sessions_are_of_one_moment(three_runs, database_url, store):
    with open_snapshot(database_url) as query:
        query("SELECT state FROM abreast_runs")
        store.update_session("a-1/t0", SessionUpdate(state=SessionState.PREPARING))
        late = query("SELECT state FROM abreast_sessions WHERE id = ?", "a-1/t0")
    assert late == [("queued",)]


def all_empty(reader):
    return [
        reader.runs(),
        reader.active(),
        reader.sessions("r1"),
        reader.sessions_by_task("t"),
        reader.events("r1"),
        reader.usage("r1/t"),
        reader.run("r1"),
        reader.session("r1/t"),
    ] == [[]] * 6 + [None] * 2


def test_a_database_that_abreast_has_not_used_yet_is_empty(database_url, empty_database):
    with transaction(empty_database) as db:
        db.execute(sa.text("CREATE TABLE other (a TEXT)"))
    assert all_empty(Reader(database_url))


def test_a_database_file_that_is_not_there_is_empty_and_stays_away(tmp_path):
    reader = Reader(f"sqlite:///{tmp_path / 'none' / 'abreast.db'}")
    assert all_empty(reader)
    reader = Reader(f"sqlite:///{tmp_path / 'abreast.db'}")
    assert all_empty(reader)
    assert list(tmp_path.iterdir()) == []


def test_any_folder_name_will_do(tmp_path):
    folder = tmp_path / "ä ?mode=rw&x#%41"
    folder.mkdir()
    url = f"sqlite:///{folder / 'abreast.db'}"
    engine = make_engine(sa.URL.create("sqlite", database=str(folder / "abreast.db")))
    migrate(engine)
    Store(engine).add_run(make_run(), "{}")
    engine.dispose()
    assert ids(Reader(url).runs()) == ["r1"]


def test_readers_cannot_write(tmp_path):
    url = f"sqlite:///{tmp_path / 'abreast.db'}"
    engine = make_engine(url)
    migrate(engine)
    engine.dispose()
    with (
        pytest.raises(StoreError, match="is read-only"),
        open_snapshot(url) as query,
    ):
        query("DELETE FROM abreast_runs")


def test_a_schema_of_another_version_is_named_as_such(database, database_url):
    with transaction(database) as db:
        db.execute(sa.text("ALTER TABLE abreast_runs RENAME COLUMN note TO remark"))
    with pytest.raises(StoreError, match="has another schema") as found:
        Reader(database_url).runs()
    assert found.value.hint == "another version of abreast has used it: upgrade abreast"


def test_what_is_no_database_is_said_to_be_unreadable(tmp_path):
    (tmp_path / "abreast.db").write_text("this is not a database, however long it may be" * 30)
    with pytest.raises(StoreError, match="is damaged: file is not a database"):
        Reader(f"sqlite:///{tmp_path / 'abreast.db'}").runs()


def test_a_server_that_does_not_answer_is_a_store_error(tmp_path):
    with pytest.raises(StoreError, match="cannot be read"):
        Reader(f"postgresql://postgres@/x?host={tmp_path}").runs()


def test_a_reader_outlives_the_crash_of_a_writer(tmp_path):
    """A killed writer leaves its write-ahead log, and what it had committed is read from that."""
    url = f"sqlite:///{tmp_path / 'abreast.db'}"
    script = (
        "import os, signal, sys\n"
        "from abreast.store.engine import make_engine\n"
        "from abreast.store.migrations import migrate\n"
        "from abreast.store.writer import Store\n"
        "from tests.store.samples import make_run\n"
        "engine = make_engine(sys.argv[1]); migrate(engine)\n"
        "Store(engine).add_run(make_run(), '{}')\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", script, url], cwd=Path(__file__).parents[2], check=False)
    assert (tmp_path / "abreast.db-wal").stat().st_size > 0
    assert len(Reader(url).run("r1").sessions) == 2


def test_reading_loads_nothing_heavy(tmp_path):
    url = f"sqlite:///{tmp_path / 'abreast.db'}"
    engine = make_engine(url)
    migrate(engine)
    Store(engine).add_run(make_run(), "{}")
    engine.dispose()
    script = (
        "import sys\n"
        "from abreast.store.reader import Reader\n"
        "assert Reader(sys.argv[1]).runs()\n"
        "heavy = {'sqlalchemy', 'dbos', 'alembic', 'pydantic', 'psycopg', 'psutil', 'asyncio'}\n"
        "print(sorted(heavy & sys.modules.keys()))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, url], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_the_database_is_found_as_it_was_left(tmp_path):
    """Reading after the last writer has gone must not turn into writing."""
    url = f"sqlite:///{tmp_path / 'abreast.db'}"
    engine = make_engine(url)
    migrate(engine)
    engine.dispose()
    before = (tmp_path / "abreast.db").read_bytes()
    Reader(url).runs()
    assert (tmp_path / "abreast.db").read_bytes() == before
    with sqlite3.connect(tmp_path / "abreast.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def test_what_is_at_stake_in_a_repository(store, reader):
    """Sessions at work and those that have not landed, of all runs; and who is said to conflict."""
    landed = {"state": SessionState.DONE, "commit": "4" * 40, "landing": LandState.LANDED}
    for name, common in (("r1", "/a/.git"), ("r2", "/a/.git"), ("r3", "/b/.git")):
        run = make_run(name, 5)
        sessions = (*run.sessions[:4], replace(run.sessions[4], **landed if name == "r2" else {}))
        store.add_run(replace(run, common_dir=common, sessions=sessions), "{}")
    bring(store, "r1/t0", SessionState.RUNNING, base_sha="1" * 40)
    bring(store, "r1/t1", SessionState.DONE, commit="2" * 40)
    bring(store, "r1/t2", SessionState.DONE)  # without a commit
    bring(store, "r1/t3", SessionState.FAILED, commit="3" * 40)
    bring(store, "r2/t0", SessionState.VERIFYING, base_sha="1" * 40)
    bring(store, "r2/t1", SessionState.SETUP, base_sha="1" * 40)
    bring(store, "r3/t0", SessionState.RUNNING, base_sha="1" * 40)

    def found(limit=10):
        return [record.session.id for record in reader.at_stake("/a/.git", limit)]

    assert found() == ["r1/t0", "r1/t1", "r2/t0"]
    assert found(2) == ["r1/t1", "r2/t0"]
    assert reader.at_stake("/a/.git", 1)[0].run == reader.session_record("r2/t0").run
    assert reader.in_conflict() == []
    for session in ("r1/t3", "r1/t4"):
        store.set_conflicts(session, 1, (WorkConflict("main", (), is_target=True),))
    assert found() == ["r1/t0", "r1/t1", "r1/t3", "r1/t4", "r2/t0"]
    assert reader.in_conflict() == ["/a/.git"]
