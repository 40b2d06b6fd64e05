"""Keeps this worker's lease, and takes over from executors whose lease has run out."""

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator

import sqlalchemy as sa

from abreast.errors import StoreError
from abreast.store.lease import Lease, acquire, must_fence

LEASE_SECONDS = 60.0  # longer than any stall of a laptop that is not asleep
BEAT_SECONDS = 10.0
FENCED = 70  # exit code of a worker that has lost its lease


@contextlib.contextmanager
def hold_lease(
    engine: sa.Engine, executor: str, take_over: Callable[[str], None]
) -> Iterator[None]:
    """Hold the lease on `executor`, renewed by a thread; raises WorkerError when it is taken.

    A worker that could not renew in time ends at once, without clean-up: another executor may have
    its work by then. `take_over` is called with each dead executor, again until it returns.
    """
    lease = acquire(engine, executor, ttl=LEASE_SECONDS)
    ended = threading.Event()
    # A thread of its own: the event loop may be busy for longer than a beat.
    thread = threading.Thread(target=_beat, args=(lease, ended, take_over), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        lease.release()


def _beat(lease: Lease, ended: threading.Event, take_over: Callable[[str], None]) -> None:
    renewed = time.monotonic()
    while not ended.wait(BEAT_SECONDS):
        try:
            held = lease.renew()
        except StoreError:
            held = True  # nobody knows; time runs
        else:
            renewed = time.monotonic() if held else renewed
        if must_fence(held=held, since_renewal=time.monotonic() - renewed, ttl=lease.ttl):
            os._exit(FENCED)
        with contextlib.suppress(StoreError):
            for dead in lease.expired():
                take_over(dead)
                lease.mark_reaped(dead)
