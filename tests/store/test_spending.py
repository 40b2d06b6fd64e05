"""What sessions have used together: of a run with its children, and of a day."""

from dataclasses import replace

import pytest

from abreast.model.budget import Consumption
from abreast.model.moment import Moment
from abreast.model.session import SessionState
from abreast.store.rows import SessionUpdate
from abreast.store.spent import QUARTER, total
from abreast.store.writer import Store
from tests.store.samples import make_run


def used(turns: int) -> Consumption:
    return Consumption(0.0, turns, 1000 * turns, turns / 4, turns / 8)


@pytest.fixture
def at(store):
    """Return the store as it is at some time."""

    def then(seconds: float) -> Store:
        return Store(store.engine, lambda: Moment(seconds))

    return then


def test_children_count_into_their_parents_run(store, reader):
    run = make_run(tasks=2)
    store.add_run(run, "{}")
    child = make_run("r2", tasks=1)
    [only] = child.sessions
    store.add_run(replace(child, sessions=(replace(only, parent="r1/t0"),)), "{}")
    store.add_run(make_run("r3", tasks=1), "{}")
    for session, attempt, turns in (
        ("r1/t0", 1, 1),
        ("r1/t0", 2, 2),
        ("r1/t1", 1, 4),
        ("r2/t0", 1, 8),
        ("r3/t0", 1, 16),
    ):
        store.set_spending(session, attempt, used(turns))
    store.set_spending("r1/t1", 1, used(5))  # in the place of what was known
    assert total(reader.spent_by_run("r1")) == used(16)
    assert total(reader.spent_by_run("r3")) == used(16)
    store.update_session("r2/t0", SessionUpdate(state=SessionState.PREPARING))
    began = reader.session("r2/t0").started
    assert total(reader.spent_by_children("r1/t0", began)) == used(8)
    assert reader.spent_by_children("r1/t0", began + 1) == {}
    assert reader.spent_by_children("r1/t1", 0.0) == {}


def test_of_a_day_counts_what_was_used_within_it(store, reader, at):
    store.add_run(make_run(tasks=3), "{}")
    midnight = 1_790_000_100 // QUARTER * QUARTER
    for seconds, session, turns in (
        (midnight - 2 * QUARTER, "r1/t0", 1),
        (midnight - 1, "r1/t0", 3),  # before the day
        (midnight, "r1/t0", 4),
        (midnight + 5, "r1/t0", 10),  # 7 of it within the day
        (midnight + QUARTER, "r1/t1", 20),
        (midnight + 86_400, "r1/t1", 25),  # on the next one
        (midnight - 5, "r1/t2", 100),
    ):
        at(seconds).set_spending(session, 1, used(turns))
    found = reader.spent_between(midnight, midnight + 86_400)
    assert found == {("r1/t0", 1): used(7), ("r1/t1", 1): used(20)}
    # Whoever has travelled to the east has a midnight that was an hour earlier.
    assert total(reader.spent_between(midnight - 3600, midnight + 82_800)) == used(10 + 20 + 100)
