"""Whoever watches learns of each change, of both kinds: written down, and who is at work."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from abreast import aio, api
from abreast.engine.reading import snapshots
from abreast.model.need import NeedKind
from abreast.model.session import RunState, SessionState
from abreast.model.snapshot import Group, Snapshot
from abreast.places import Places
from abreast.store.engine import make_engine
from abreast.store.rows import SessionUpdate
from abreast.store.writer import Store
from tests.store.samples import bring, make_run
from tests.support.deadlines import SECONDS, eventually


@pytest.fixture
def places(tmp_path) -> Places:
    """A state folder in which no worker is, with a database of its own."""
    return Places(tmp_path / "state", f"sqlite:///{tmp_path / 'db.sqlite'}").make()


@pytest.fixture
def store(places) -> Iterator[Store]:
    engine = make_engine(places.database)
    from abreast.store.migrations import migrate

    migrate(engine)
    yield Store(engine)
    engine.dispose()


@pytest.fixture
def given_up() -> Iterator[threading.Event]:
    """What ends the watching of a test that waits for a change which never comes."""
    event = threading.Event()
    timer = threading.Timer(SECONDS, event.set)
    timer.start()
    yield event
    timer.cancel()


def test_each_change_is_yielded_and_none_twice(places, store, given_up):
    seen = snapshots.changes(places, every=0.0, given_up=given_up)
    assert next(seen).rows == ()
    store.add_run(make_run(), "{}")
    first = next(seen)
    assert [row.group for row in first.rows] == [Group.NEEDS_YOU, Group.WAITING]
    assert first.rows[0].need.kind is NeedKind.UNATTENDED
    bring(store, "r1/t0", SessionState.RUNNING)
    store.update_session("r1/t0", SessionUpdate(last_action="edit a.py"))
    found = next(seen)
    while found.rows[0].session.last_action != "edit a.py":
        found = next(seen)
    seen.close()
    assert api.snapshot(places=places).revision == found.revision
    assert api.snapshot("r1", places=places).rows == found.rows


def test_who_knows_the_revision_waits_for_the_next(places, store, given_up):
    store.add_run(make_run(), "{}")
    known = api.snapshot(places=places).revision
    found: list[Snapshot] = []
    waits = threading.Thread(
        target=lambda: found.extend(
            snapshots.changes(places, since=known, every=0.0, given_up=given_up)
        )
    )
    waits.start()
    store.add_event("r1", "note", "no row of a snapshot has changed")
    store.set_run_state("r1", RunState.FAILED)
    eventually(lambda: found, "it is told")
    given_up.set()
    waits.join(SECONDS)
    assert not waits.is_alive()
    [new] = found
    assert (new.revision != known, new.runs[0].run.state) == (True, RunState.FAILED)


def test_what_changes_between_two_is_in_the_next(places, store, given_up, monkeypatch):
    reads = []
    look = snapshots.look

    def count(*args):
        reads.append(None)
        return look(*args)

    monkeypatch.setattr(snapshots, "look", count)
    monkeypatch.setattr(snapshots, "_ATTENDED", SECONDS)
    store.add_run(make_run(), "{}")
    seen = snapshots.changes(places, given_up=given_up)
    next(seen)
    for number in range(50):
        store.update_session("r1/t0", SessionUpdate(last_action=str(number)))
    assert next(seen).rows[0].session.last_action == "49"
    seen.close()
    assert len(reads) == 2  # nothing was read while nothing was new


def test_the_twin_lets_go_when_its_task_is_cancelled(places, store):
    store.add_run(make_run(), "{}")

    async def watch() -> list[str]:
        told: list[str] = []

        async def note() -> None:
            async for snapshot in aio.changes(places=places):
                told.append(snapshot.revision)  # noqa: PERF401 (it never ends)

        watching = asyncio.create_task(note())
        while not told:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        watching.cancel()
        with pytest.raises(asyncio.CancelledError):
            await watching
        return told

    assert asyncio.run(watch()) == [api.snapshot(places=places).revision]
