"""Connections are private, durable and patient."""

import sqlite3
import stat
import threading

import pytest
import sqlalchemy as sa

from abreast.errors import StoreError
from abreast.store.engine import make_engine, reading, transaction
from tests.support.deadlines import SECONDS


@pytest.fixture
def engine(tmp_path):
    engine = make_engine(f"sqlite:///{tmp_path / 'abreast.db'}")
    yield engine
    engine.dispose()


def test_nothing_is_created_before_the_first_connection(engine, tmp_path):
    assert list(tmp_path.iterdir()) == []
    with reading(engine) as db:
        db.execute(sa.text("SELECT 1"))
    assert (tmp_path / "abreast.db").exists()


def test_the_files_of_sqlite_are_the_users_alone(engine, tmp_path):
    with transaction(engine) as db:
        db.execute(sa.text("CREATE TABLE t (a TEXT)"))
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    assert modes == {"abreast.db": 0o600, "abreast.db-wal": 0o600, "abreast.db-shm": 0o600}


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("busy_timeout", 30_000)],
)
def test_sqlite_is_set_up(engine, pragma, value):
    with reading(engine) as db:
        assert db.execute(sa.text(f"PRAGMA {pragma}")).scalar() == value


def test_the_clock_that_dbos_asks_has_fractions_of_a_second(engine):
    with reading(engine) as db:
        at = db.execute(sa.text("SELECT unixepoch('subsec')")).scalar()
    assert isinstance(at, float)


def test_a_transaction_on_sqlite_holds_the_write_lock_while_it_only_reads(engine, tmp_path):
    with transaction(engine) as db:
        db.execute(sa.text("SELECT 1"))
        other = sqlite3.connect(tmp_path / "abreast.db", timeout=0, isolation_level=None)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        other.close()


def test_a_transaction_that_fails_leaves_nothing(empty_database):
    def fail():
        with transaction(empty_database) as db:
            db.execute(sa.text("CREATE TABLE t (a TEXT)"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert sa.inspect(empty_database).get_table_names() == []


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("mysql://localhost/x", "abreast cannot keep its state in a mysql database"),
        ("sqlite://", "abreast cannot keep its state in a sqlite database"),
        ("nonsense", "the database URL cannot be read"),
    ],
)
def test_other_databases_are_refused(url, message):
    with pytest.raises(StoreError, match=message) as found:
        make_engine(url)
    assert found.value.hint == "use sqlite:///FILE or postgresql://USER@HOST/DATABASE"


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_database_that_does_not_answer_is_a_store_error(tmp_path, kind):
    urls = {
        "sqlite": f"sqlite:///{tmp_path / 'no' / 'folder' / 'abreast.db'}",
        "postgresql": f"postgresql://postgres@/x?host={tmp_path}",
    }
    engine = make_engine(urls[kind])
    with pytest.raises(StoreError, match="the database does not answer"), transaction(engine):
        pass
    engine.dispose()


def test_many_may_open_a_new_database_at_the_same_moment(tmp_path):
    """The switch to WAL is refused at once, not awaited, when two connections make it together."""
    together = threading.Barrier(6)
    failures = []

    def open_each():
        for number in range(60):
            engine = make_engine(f"sqlite:///{tmp_path / str(number)}")
            together.wait(timeout=SECONDS)
            try:
                engine.connect().close()
            except sa.exc.OperationalError as error:
                failures.append(error)
            engine.dispose()

    threads = [threading.Thread(target=open_each) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
