"""The worker: the one process on a machine that executes. Started by whoever needs it first.

It holds a file lock (one worker for a state folder) and a lease in the database (one among all
state folders and machines that use it), takes up what is queued, and exits when there has been
nothing to do for a while. Killing it loses nothing: agents go on under their runners, and the next
worker recovers the workflows and adopts them.
"""

import argparse
import asyncio
import contextlib
import os
import signal
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NoReturn, ParamSpec, TypeVar

import sqlalchemy as sa
from filelock import FileLock, Timeout

from abreast.engine.common.home import foreign_runs, is_at_home, require_home
from abreast.engine.common.worker_process import (
    TAKEN,
    announce_worker,
    bell,
    find_worker,
    most_sessions,
    worker_file,
)
from abreast.engine.working import durable, workflows
from abreast.engine.working.alerting import alerting
from abreast.engine.working.conflicts.looking import looking_out
from abreast.engine.working.lease_thread import hold_lease
from abreast.engine.working.overseer import overseeing
from abreast.engine.working.session.context import Engine
from abreast.engine.working.tidying import drop_half_made
from abreast.errors import DamagedError, StoreError, WorkerError
from abreast.git.fast_forward import recover
from abreast.git.making import empty_trash_aside
from abreast.model.session import Run, RunState, SessionKind
from abreast.places import Places, find_places
from abreast.process import clock
from abreast.process.files import private_folder, write_atomic
from abreast.process.heap import share_heaps
from abreast.process.supervisor import WORKER, lower
from abreast.store.engine import make_engine
from abreast.store.migrations import migrate
from abreast.store.reader import Reader
from abreast.store.writer import Store

P = ParamSpec("P")
R = TypeVar("R")

_LEAVING = 5.0  # seconds for a worker that is on its way out
_LOOK = 0.2  # seconds between looks for what clients have asked for


def main(
    places: Places, idle_exit: float | None, *, take_over: bool = False, again: bool = False
) -> int:
    """Work until told to stop, or until `idle_exit` seconds have passed without work.

    With `take_over`, also on the runs of a state folder whose worker will not come back. `again`:
    this process has been the worker before, and waits for a database that is away. Returns 0.
    Raises WorkerError when another worker has this database, or others' runs are in it.
    """
    places.make()
    share_heaps()

    def fenced(reason: str) -> None:
        sys.stderr.write(f"{reason}: this worker begins anew\n")
        _begin_anew(places, idle_exit)

    while True:
        with _alone(places):
            engine = make_engine(places.database)
            _reach(engine, durable.OUTAGE if again else 0.0)
            if not take_over:
                require_home(places)
            strangers = foreign_runs(places) if take_over else []
            parts = Engine(places, Store(engine), Reader(places.database))
            workflows.install(parts)
            sys.stderr.writelines(f"{words}\n" for words in recover(places.forwards))
            drop_half_made(places, parts.reader.active())
            empty_trash_aside(places.trash)
            with hold_lease(engine, executor_id(places), places, fenced, again=again) as lease:
                announce_worker(places)  # nothing can refuse us any more
                for run in strangers:  # they are ours now; what was at work elsewhere fails here
                    private_folder(places.runs / run)
                gone = lease.others() if take_over else []
                with looking_out(parts), alerting(places), overseeing(parts):
                    stopped = asyncio.run(_serve(places, idle_exit, gone))
            engine.dispose()
            take_over = False
        # Somebody may have queued a run after our last look and have seen us alive: look again
        # now that another worker could start.
        asked = Reader(places.database).requests()
        if stopped or not any(is_at_home(run.id, places) for run in asked):
            return 0


def _reach(engine: sa.Engine, patience: float) -> None:
    """Migrate the database; wait up to `patience` seconds for one that does not answer."""
    late = clock.awake() + patience
    while True:
        try:
            return migrate(engine)
        except StoreError:
            if clock.awake() >= late:
                raise
            time.sleep(durable.OUTAGE_LOOK)


def _begin_anew(places: Places, idle_exit: float | None) -> NoReturn:
    """Replace this process by a new worker, which has none of its threads and locks."""
    argv = [
        sys.executable,
        "-I",
        "-m",
        "abreast.engine.working.worker",
        "--state",
        str(places.state),
    ]
    argv += [] if idle_exit is None else ["--idle-exit", str(idle_exit)]
    sys.stderr.flush()
    os.execve(argv[0], [*argv, "--again"], {**os.environ, "ABREAST_DB": places.database})  # noqa: S606


class TakenError(WorkerError):
    """Another worker has this place."""


@contextlib.contextmanager
def _alone(places: Places) -> Iterator[None]:
    lock, late = FileLock(places.locks / "worker.lock", mode=0o600), clock.awake() + _LEAVING
    while True:
        try:
            lock.acquire(timeout=0)
            break
        except Timeout:
            # One that is on its way out has taken its name away, and gives up the lock in a moment.
            if find_worker(places) is None and clock.awake() < late:
                time.sleep(_LOOK)
                continue
            raise TakenError(
                f"another worker uses {places.state}",
                hint="one worker is enough; see `abreast status`",
            ) from None
    try:
        yield
    finally:
        worker_file(places).unlink(missing_ok=True)
        lock.release()


def executor_id(places: Places) -> str:
    """Return this installation's stable id, so that a restart finds its own work again."""
    file = places.state / "executor-id"
    if not file.exists():
        write_atomic(file, uuid.uuid4().hex)
    return file.read_text(encoding="ascii").strip()


async def _serve(places: Places, idle_exit: float | None, gone: Sequence[str]) -> bool:
    """Execute workflows, including those that the workers in `gone` had begun.

    Returns True when told to stop, False when idle for long enough.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    await durable.launch(make_engine(places.database), executor_id(places), most_sessions())
    try:
        for executor in gone:
            await asyncio.to_thread(durable.recover, executor)
        with _called(places, loop) as called:
            await _dispatch(places, stop, called, idle_exit)
    finally:
        await _leave_off()
        await asyncio.to_thread(durable.shut_down)
    return stop.is_set()


async def _leave_off() -> None:
    """Cancel what goes on in this loop, before the threads that it needs are taken away.

    Workflows stay pending. One that came to its next thread afterwards would take that for a
    failure of what it is about, and end it so.
    """
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    if others:
        await asyncio.wait(others, timeout=_LEAVING)


@contextlib.contextmanager
def _called(places: Places, loop: asyncio.AbstractEventLoop) -> Iterator[asyncio.Event]:
    """Yield an event that a client's ring sets; where there are no named pipes, it never is."""
    called = asyncio.Event()
    pipe = _open_bell(bell(places))
    if pipe is None:
        yield called
        return

    def hear() -> None:
        os.read(pipe, 4096)
        called.set()

    loop.add_reader(pipe, hear)
    try:
        yield called
    finally:
        loop.remove_reader(pipe)
        os.close(pipe)


def _open_bell(path: Path) -> int | None:
    try:
        if not path.is_fifo():
            path.unlink(missing_ok=True)
            os.mkfifo(path, 0o600)
        return os.open(path, os.O_RDWR | os.O_NONBLOCK)  # to write too: it never reads as ended
    except OSError:
        return None  # a file system without them: clients are heard at the next look


async def _dispatch(
    places: Places, stop: asyncio.Event, called: asyncio.Event, idle_exit: float | None
) -> None:
    """Enqueue what clients have requested: a request is a run's state and generation."""
    reader, seen = Reader(places.database), set[str]()
    idle_since = clock.awake()
    while not stop.is_set():
        # One that is away is waited for; the lease bounds that.
        with contextlib.suppress(StoreError), _unless_damaged(places):
            asked = await asyncio.to_thread(reader.requests)
            requests = [run for run in asked if is_at_home(run.id, places)]
            for request in requests:
                await _take(request, seen)
            for session, attempt, kind in (
                await asyncio.to_thread(reader.to_stop) if requests else ()
            ):
                child = kind is SessionKind.CHILD
                ticket = durable.session_ticket(session, attempt, child=child)
                work = workflows.run_child if child else workflows.run_session
                await _once(ticket, seen, work, session, attempt)
            idle = clock.awake() - idle_since
            if not requests and idle_exit is not None and idle > idle_exit:
                return
            idle_since = clock.awake() if requests else idle_since
        await _pause(stop, called)


@contextlib.contextmanager
def _unless_damaged(places: Places) -> Iterator[None]:
    """End this process at once when the database is damaged; what agents do goes on without it.

    Nothing that it could still write is worth the risk of writing over what can be saved.
    """
    try:
        yield
    except DamagedError as error:
        sys.stderr.write(f"{error.message}: this worker ends\nhint: {error.hint}\n")
        sys.stderr.flush()
        worker_file(places).unlink(missing_ok=True)
        os._exit(1)


async def _pause(stop: asyncio.Event, called: asyncio.Event) -> None:
    """Wait for a stop, a client's call, or the next look, whichever is first."""
    waits = [asyncio.ensure_future(event.wait()) for event in (stop, called)]
    await asyncio.wait(waits, timeout=_LOOK, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
    called.clear()


async def _take(request: Run, seen: set[str]) -> None:
    run, generation = request.id, request.generation
    if request.state is RunState.LANDING:
        # One landing at a time on a target, whichever run it belongs to.
        ticket = durable.landing_ticket(run, generation, f"{request.common_dir}:{request.target}")
        await _once(ticket, seen, workflows.land_queue, run, generation)
        return
    ticket = durable.run_ticket(run, generation)
    if ticket.id not in seen:
        # Two that start sessions of one run would not heed each other's limits.
        await durable.cancel([durable.run_ticket(run, older) for older in range(1, generation)])
    await _once(ticket, seen, workflows.run_plan, run, generation)


async def _once(
    ticket: durable.Ticket,
    seen: set[str],
    work: durable.AsyncFunction[P, R],
    *args: P.args,
    **kwargs: P.kwargs,
) -> None:
    if ticket.id not in seen:
        await durable.start(ticket, work, *args, **kwargs)
        seen.add(ticket.id)


def _arguments(argv: Sequence[str]) -> tuple[Places, float | None, bool]:
    parser = argparse.ArgumentParser(prog="abreast.engine.working.worker")
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--idle-exit", type=float, default=None)
    parser.add_argument("--again", action="store_true")
    found = parser.parse_args(argv)
    # The database comes by environment: command lines are public, and its URL may hold a password.
    # Nor is it the business of the hooks that git runs for us.
    places = replace(find_places(), state=found.state)
    os.environ.pop("ABREAST_DB", None)
    return places, found.idle_exit, found.again


if __name__ == "__main__":
    lower(WORKER)
    try:
        place, seconds, before = _arguments(sys.argv[1:])
        code = main(place, seconds, again=before)
    except TakenError as taken:
        sys.stderr.write(f"{taken.message}\n")
        sys.exit(TAKEN)
    except (WorkerError, StoreError) as failed:
        sys.exit(f"{failed.message}\nhint: {failed.hint}" if failed.hint else failed.message)
    # Everything is written, closed and given up: taking a thousand modules apart is all that would
    # follow, at a third of the processor time that a short life takes.
    sys.stderr.flush()
    os._exit(code)
