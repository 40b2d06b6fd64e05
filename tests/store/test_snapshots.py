"""What a snapshot is made of is read again cheaply, and a change is never missed."""

import sqlalchemy as sa

from abreast.model.session import RunState, SessionState
from abreast.store.changed import Changed
from abreast.store.engine import make_engine
from abreast.store.migrations import migrate
from abreast.store.rows import SessionUpdate
from abreast.store.schema import sessions
from abreast.store.snapshots import SnapshotReader
from abreast.store.writer import Store
from tests.store.samples import bring, make_run
from tests.store.test_questions import ASKED


def test_only_what_differs_is_made_anew(store, database_url):
    store.add_run(make_run("r1"), "{}")
    store.add_run(make_run("r2"), "{}")
    reader = SnapshotReader(database_url)
    first = reader.read()
    assert [run.id for run in first.runs] == ["r2", "r1"]
    again = reader.read()
    assert again.stamp == first.stamp
    assert all(a is b for a, b in zip(again.runs, first.runs, strict=True))
    store.update_session("r1/t1", SessionUpdate(last_action="edit a.py"))
    after = reader.read()
    assert after.stamp != first.stamp
    assert after.runs[0] is first.runs[0]
    assert after.runs[1].sessions[0] is first.runs[1].sessions[0]
    assert after.runs[1].sessions[1].last_action == "edit a.py"
    assert SnapshotReader(database_url).read().stamp == after.stamp  # of another process too
    store.update_session("r1/t1", SessionUpdate(last_action=""))
    assert reader.read().stamp == first.stamp


def test_one_run_alone_and_its_questions(store, database_url):
    store.add_run(make_run("r1"), "{}")
    store.add_run(make_run("r2"), "{}")
    bring(store, "r1/t0", SessionState.RUNNING)
    reader = SnapshotReader(database_url, "r1")
    before = reader.read()
    store.ask("r1/t0", [ASKED])
    found = reader.read()
    assert [run.id for run in found.runs] == ["r1"]
    assert found.questions == (ASKED,)
    assert found.stamp != before.stamp
    assert SnapshotReader(database_url, "none").read().runs == ()


def test_of_many_the_newest_and_all_that_go_on(store, database_url):
    for name in ("r1", "r2", "r3", "r4"):
        store.add_run(make_run(name), "{}")
        if name != "r1":
            store.set_run_state(name, RunState.FAILED)
    found = SnapshotReader(database_url, most=3).read().runs
    assert [run.id for run in found] == ["r4", "r3", "r1"]
    assert [one.id for one in found[-1].sessions] == ["r1/t0", "r1/t1"]


def test_a_change_is_noticed_once(store, database_url):
    changed = Changed(database_url)
    try:
        assert changed.poll()
        assert not changed.poll()
        store.add_run(make_run(), "{}")
        assert changed.poll()
        assert not changed.poll()
        store.update_session("r1/t0", SessionUpdate(last_action="one"))
        store.update_session("r1/t0", SessionUpdate(last_action="two"))
        assert changed.poll()
        assert not changed.poll()
    finally:
        changed.close()


def test_what_is_not_committed_yet_is_noticed_when_it_is(store, database_url):
    store.add_run(make_run(), "{}")
    changed, reader = Changed(database_url), SnapshotReader(database_url)
    try:
        with store.engine.begin() as db:
            change = sa.update(sessions).where(sessions.c.id == "r1/t0")
            db.execute(change.values(last_action="x"))
            changed.poll()
            seen = reader.read()
            assert seen.runs[0].sessions[0].last_action == ""
        assert changed.poll()
        assert reader.read().runs[0].sessions[0].last_action == "x"
    finally:
        changed.close()


def test_a_database_that_comes_and_goes(tmp_path):
    file = tmp_path / "db.sqlite"
    changed = Changed(f"sqlite:///{file}")
    assert changed.poll()
    assert not changed.poll()
    assert not file.exists()
    file.write_bytes(b"no database")
    assert changed.poll()
    assert not changed.poll()
    file.unlink()
    assert changed.poll()
    changed.close()


def test_a_replaced_database_is_read_whole(tmp_path):
    """The versions of its rows begin again."""
    file = tmp_path / "a.db"
    url = f"sqlite:///{file}"
    reader = SnapshotReader(url)
    for said in ("one", "two"):
        for left in tmp_path.glob("a.db*"):
            left.rename(left.with_name(f"{said}-{left.name}"))
        engine = make_engine(url)
        migrate(engine)
        store = Store(engine)
        store.add_run(make_run("r1"), "{}")
        store.update_session("r1/t0", SessionUpdate(last_action=said))
        assert reader.read().runs[0].sessions[0].last_action == said
        engine.dispose()


def test_more_than_a_few_that_differ_are_read_too(store, database_url):
    store.add_run(make_run("r1", tasks=250), "{}")
    reader = SnapshotReader(database_url)
    reader.read()
    for n in range(250):
        store.update_session(f"r1/t{n}", SessionUpdate(turns=n + 1))
    found = reader.read()
    assert [one.turns for one in found.runs[0].sessions] == [*range(1, 251)]
    assert found.stamp == SnapshotReader(database_url).read().stamp
