"""Keeps this worker's lease on the database."""

import contextlib
import threading
from collections.abc import Callable, Iterator

import sqlalchemy as sa

from abreast.errors import StoreError
from abreast.places import Places
from abreast.process import clock
from abreast.store.lease import Lease, acquire, must_fence

LEASE_SECONDS = 60.0  # longer than any stall of a laptop that is not asleep
BEAT_SECONDS = 10.0


@contextlib.contextmanager
def hold_lease(
    engine: sa.Engine,
    executor: str,
    places: Places,
    fenced: Callable[[str], object],
    *,
    again: bool = False,
) -> Iterator[Lease]:
    """Hold the lease for `executor`, renewed by a thread; raises WorkerError when it is taken.

    `fenced` is called, in that thread, with the reason why this worker must not act any longer: it
    must not return before nothing of the worker can act any more. `again`: see `acquire`.
    """
    lease = acquire(engine, executor, ttl=LEASE_SECONDS, state_dir=places.state, again=again)
    ended = threading.Event()
    # A thread of its own: the event loop may be busy for longer than a beat.
    thread = threading.Thread(target=_keep, args=(lease, ended, fenced), daemon=True)
    thread.start()
    try:
        yield lease
    finally:
        ended.set()
        thread.join()
        lease.release()


def _keep(lease: Lease, ended: threading.Event, fenced: Callable[[str], object]) -> None:
    # The boot clock: one that stands still while the machine sleeps would not notice that.
    renewed = clock.boot()
    while not ended.wait(BEAT_SECONDS):
        renewed, reason = beat(lease, renewed)
        if reason:
            fenced(reason)
            return


def beat(lease: Lease, renewed: float) -> tuple[float, str]:
    """Renew the lease, last renewed at `renewed`; return when it was, and why to stop, or "".

    A late renewal is valid unless another worker has taken the lease. While the database does not
    answer, the time since the last renewal decides; nobody else can take the lease of a file.
    """
    try:
        held, answered = lease.renew(), True
    except StoreError:
        held, answered = True, False
    now = clock.boot()
    if answered and held:
        return now, ""
    if not held:
        return renewed, "another worker has taken the place of this one"
    late = now - renewed
    bounded = lease.engine.dialect.name != "sqlite"
    if bounded and must_fence(held=True, since_renewal=late, ttl=lease.ttl):
        return renewed, f"the database has not answered for {late:.0f} s"
    return renewed, ""
