"""An executor id belongs to one living process; what a dead one held can be taken over."""

import subprocess
import sys
from dataclasses import replace

import pytest
import sqlalchemy as sa

from abreast.errors import WorkerError
from abreast.process.identity import Identity, identify
from abreast.store import lease as lease_module
from abreast.store.engine import transaction
from abreast.store.lease import acquire, must_fence, this_host
from abreast.store.schema import executors

TTL = 60.0


def let_expire(database, executor):
    """Put the lease's end into the past, as time would."""
    with transaction(database) as db:
        row = executors.c.id == executor
        db.execute(sa.update(executors).where(row).values(expires=executors.c.expires - 2 * TTL))


@pytest.fixture
def dead_process():
    """The identity of a process of this host that has ended."""
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    identity = identify(child.pid)
    child.communicate(b"\n")
    return identity


def test_a_second_process_is_refused_while_the_first_one_lives(database):
    first = acquire(database, "m1", ttl=TTL)
    with pytest.raises(WorkerError, match=r"executor m1 is held by process \d+ on"):
        acquire(database, "m1", ttl=TTL)
    assert first.renew()


def test_other_ids_are_free(database):
    acquire(database, "m1", ttl=TTL)
    assert acquire(database, "m2", ttl=TTL).renew()


def test_a_released_lease_is_free_at_once(database):
    first = acquire(database, "m1", ttl=TTL)
    first.release()
    assert not first.renew()
    second = acquire(database, "m1", ttl=TTL)
    first.release()  # too late: it is the second one's now
    assert second.renew()


def test_the_lease_of_a_dead_process_on_this_host_is_free_at_once(database, dead_process):
    first = acquire(database, "m1", ttl=TTL, process=dead_process)
    second = acquire(database, "m1", ttl=TTL)
    assert (first.renew(), second.renew()) == (False, True)


def test_a_pid_that_another_process_has_now_is_not_the_holder(database):
    mine = identify()
    acquire(database, "m1", ttl=TTL, process=Identity(mine.pid, mine.started - 100))
    assert acquire(database, "m1", ttl=TTL).renew()


def test_a_dead_pid_of_another_host_says_nothing(database, dead_process, monkeypatch):
    monkeypatch.setattr(lease_module, "this_host", lambda: "elsewhere pid:[1]")
    acquire(database, "m1", ttl=TTL, process=dead_process)
    monkeypatch.undo()
    with pytest.raises(WorkerError, match=r"is held by process \d+ on elsewhere$"):
        acquire(database, "m1", ttl=TTL)


def test_a_lease_that_has_run_out_is_free_and_cannot_be_renewed(database):
    first = acquire(database, "m1", ttl=TTL)
    let_expire(database, "m1")
    assert not first.renew()
    assert acquire(database, "m1", ttl=TTL).renew()
    assert not first.renew()


def test_renewing_counts_from_now(database):
    lease = acquire(database, "m1", ttl=TTL)
    longer = replace(lease, ttl=3 * TTL)
    assert longer.renew()
    let_expire(database, "m1")
    assert lease.renew()


def test_the_dead_are_listed_until_somebody_has_taken_their_work_over(database):
    mine = acquire(database, "m1", ttl=TTL)
    other = acquire(database, "m3", ttl=TTL)
    for executor in ("m2", "m0"):
        acquire(database, executor, ttl=TTL)
        let_expire(database, executor)
    assert mine.expired() == ["m0", "m2"]
    assert other.expired() == ["m0", "m2"]
    mine.mark_reaped("m0")
    assert other.expired() == ["m2"]
    other.mark_reaped("m2")
    assert mine.expired() == other.expired() == []


def test_nobody_takes_over_from_itself_from_the_living_or_from_who_has_left(database):
    mine = acquire(database, "m1", ttl=TTL)
    acquire(database, "m2", ttl=TTL)
    acquire(database, "m3", ttl=TTL).release()
    let_expire(database, "m1")
    assert mine.expired() == []


def test_an_executor_that_was_given_up_for_dead_is_fenced_off(database):
    mine = acquire(database, "m1", ttl=TTL)
    frozen = acquire(database, "m2", ttl=TTL)
    let_expire(database, "m2")
    assert mine.expired() == ["m2"]
    assert not frozen.renew()


def test_an_executor_that_came_back_is_not_dead_any_more(database):
    mine = acquire(database, "m1", ttl=TTL)
    acquire(database, "m2", ttl=TTL)
    let_expire(database, "m2")
    assert mine.expired() == ["m2"]
    back = acquire(database, "m2", ttl=TTL)
    mine.mark_reaped("m2")
    assert back.renew()
    assert mine.expired() == []


@pytest.mark.parametrize(
    ("held", "since_renewal", "fence"),
    [(True, 0, False), (True, 35.9, False), (True, 36, True), (True, 90, True), (False, 0, True)],
)
def test_a_holder_gives_up_before_the_others_may_take_over(held, since_renewal, fence):
    assert must_fence(held=held, since_renewal=since_renewal, ttl=60) is fence


def test_a_host_is_named_the_same_twice():
    assert this_host() == this_host() != ""
