"""An executor id belongs to one living process; what a dead one held can be taken over."""

import re
import subprocess
import sys
from contextlib import ExitStack

import pytest
import sqlalchemy as sa

from abreast.engine.working.lease_thread import beat
from abreast.errors import StoreError, WorkerError
from abreast.process import clock
from abreast.process.identity import Identity, identify
from abreast.store import holders as holders_module
from abreast.store import lease as lease_module
from abreast.store.engine import transaction
from abreast.store.holders import this_host, this_space
from abreast.store.lease import acquire, must_fence
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
    first = acquire(database, "m1", ttl=TTL, state_dir="/s")
    host = re.escape(this_host())
    with pytest.raises(WorkerError) as refused:
        acquire(database, "m1", ttl=TTL)
    told = rf"the worker of /s on {host}, since [-\d]+ \d\d:\d\d has this database \(process \d+\)"
    assert re.fullmatch(told, refused.value.message)
    assert "ABREAST_DB" in refused.value.hint
    assert first.renew()


def test_so_is_one_of_another_state_folder(database):
    first = acquire(database, "m1", ttl=TTL, state_dir="/s")
    with pytest.raises(WorkerError, match="the worker of /s on "):
        acquire(database, "m2", ttl=TTL, state_dir="/elsewhere")
    first.release()
    assert acquire(database, "m2", ttl=TTL).renew()
    assert not first.renew()


def test_a_process_that_begins_anew_is_not_in_its_own_way(database):
    first = acquire(database, "m1", ttl=TTL)
    second = acquire(database, "m1", ttl=TTL, again=True)
    assert (first.renew(), second.renew()) == (False, True)
    with pytest.raises(WorkerError):
        acquire(database, "m2", ttl=TTL, again=True)


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


MACHINE, BOOT, PIDS = "machine", "boot", "pid:[1]"


def be(monkeypatch, host, space):
    """Seem to be another place, in which pids mean something else."""
    for module in (lease_module, holders_module):
        monkeypatch.setattr(module, "this_host", lambda: host)
        monkeypatch.setattr(module, "this_space", lambda: space)


def test_what_ran_before_this_machine_was_started_again_is_dead(database, monkeypatch):
    be(monkeypatch, "here", f"{MACHINE} earlier {PIDS}")
    acquire(database, "m1", ttl=TTL)  # by a process that lives, as far as its pid tells
    be(monkeypatch, "here", f"{MACHINE} {BOOT} {PIDS}")
    assert acquire(database, "m1", ttl=TTL).renew()


@pytest.mark.parametrize(
    ("space", "place"),
    [
        (f"{MACHINE} {BOOT} pid:[2]", "here"),  # in a container: who knows
        (f"another earlier {PIDS}", "here"),  # a machine of the same name
        (f"another earlier {PIDS}", "there"),
        (f"- earlier {PIDS}", "here"),
    ],
)
def test_a_dead_pid_of_another_place_says_nothing(
    database, dead_process, monkeypatch, space, place
):
    be(monkeypatch, place, space)
    acquire(database, "m1", ttl=TTL, process=dead_process, state_dir="/s")
    be(monkeypatch, "here", f"{MACHINE} {BOOT} {PIDS}")
    for executor in ("m1", "m2"):
        with pytest.raises(WorkerError, match=rf"the worker of /s on {place}, since"):
            acquire(database, executor, ttl=TTL)
    let_expire(database, "m1")
    assert acquire(database, "m2", ttl=TTL).renew()


def test_a_lease_that_has_run_out_while_nobody_took_it_is_renewed(database):
    """The machine has slept, or a clock was set."""
    lease = acquire(database, "m1", ttl=TTL)
    let_expire(database, "m1")
    assert lease.renew()
    let_expire(database, "m1")
    with pytest.raises(WorkerError):  # it lives, and that is known here
        acquire(database, "m2", ttl=TTL)
    assert lease.renew()


def test_who_only_slept_finds_its_place_taken(database, monkeypatch, dead_process):
    asleep = acquire(database, "m1", ttl=TTL, process=dead_process)
    mine = acquire(database, "m2", ttl=TTL)
    assert (asleep.renew(), mine.renew()) == (False, True)
    assert mine.others() == ["m1"]
    asleep.release()
    assert mine.renew()


def test_two_that_begin_at_once_do_not_both_get_it(database, database_url):
    code = (
        "import sys\n"
        "from abreast.errors import WorkerError\n"
        "from abreast.store.engine import make_engine\n"
        "from abreast.store.lease import acquire\n"
        "sys.stdin.readline()\n"
        "try: acquire(make_engine(sys.argv[1]), sys.argv[2], ttl=60.0)\n"
        "except WorkerError: print('refused', flush=True)\n"
        "else: print('taken', flush=True)\n"
        "sys.stdin.readline()\n"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    argv = [sys.executable, "-c", code, database_url]
    with ExitStack() as stack:
        both = [stack.enter_context(subprocess.Popen([*argv, n], **pipes)) for n in ("m1", "m2")]
        for process in both:
            process.stdin.write("\n")
            process.stdin.flush()
        assert sorted(process.stdout.readline() for process in both) == ["refused\n", "taken\n"]
        for process in both:
            process.stdin.close()


@pytest.mark.parametrize(
    ("held", "since_renewal", "fence"),
    [(True, 0, False), (True, 35.9, False), (True, 36, True), (True, 90, True), (False, 0, True)],
)
def test_a_holder_gives_up_before_the_others_may_take_over(held, since_renewal, fence):
    assert must_fence(held=held, since_renewal=since_renewal, ttl=60) is fence


class Away:
    """A lease whose database does not answer."""

    ttl = TTL

    def __init__(self, engine):
        self.engine = engine

    def renew(self):
        raise StoreError("away")


@pytest.mark.parametrize("asleep", [0.0, 20.0, 40.0, 90_000.0])
def test_a_worker_that_has_slept_goes_on_unless_its_place_is_taken(database, monkeypatch, asleep):
    lease = acquire(database, "m1", ttl=TTL)
    let_expire(database, "m1")
    woken = clock.boot() + asleep
    monkeypatch.setattr(clock, "boot", lambda: woken)
    assert beat(lease, woken - asleep) == (woken, "")
    # A file is nobody else's; on a server another machine may have taken the place by now.
    _, reason = beat(Away(database), woken - asleep)
    lost = asleep > 0.6 * TTL and database.dialect.name == "postgresql"
    assert reason == (f"the database has not answered for {asleep:.0f} s" if lost else "")
    lease.release()
    assert beat(lease, woken)[1] == "another worker has taken the place of this one"


def test_a_place_is_named_the_same_twice():
    assert this_space() == this_space() != ""
    assert len(this_space().split()) == 3
