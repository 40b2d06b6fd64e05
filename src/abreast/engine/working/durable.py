"""Durable execution: the only module that imports DBOS.

What a workflow has finished is checkpointed in the database; after a crash it goes on behind its
last finished step. A step may run twice (killed between its effect and its checkpoint), so every
step is idempotent. Facts that shape this module, measured with dbos 3.4:

- SQLite needs WAL and, before libsqlite 3.42, a `unixepoch` function: we bring our own engine.
- The default serializer is pickle, which would let whoever writes the database run code: we use
  the portable JSON one. Arguments and results are stored in clear and hold no secrets.
- The default application version hashes the sources, which would strand the work of yesterday's
  release: ours is pinned, and changes only when the order of steps does.
- Waiting polls the database once a second unless told otherwise.
"""

import logging
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, TypeVar, get_type_hints

import sqlalchemy as sa
from dbos import (
    DBOS,
    DBOSConfig,
    DBOSPortableJSONSerializer,
    SetEnqueueOptions,
    SetWorkflowID,
    WorkflowHandleAsync,
)

from abreast.codec import dump, load
from abreast.errors import StoreError

APPLICATION_VERSION = "abreast-workflows-1"
SESSIONS, LANDINGS = "sessions", "landings"
OUTAGE, OUTAGE_LOOK = 600.0, 1.0  # seconds a database may be away, and between looks at it
# Seconds between looks at a queue. A look costs three milliseconds of CPU, also while the agents
# take their hours; and most of what waits in a queue has minutes before it.
_POLL, _SLOW_POLL = 0.15, 0.5

P = ParamSpec("P")
R = TypeVar("R")


AsyncFunction = Callable[P, Coroutine[Any, Any, R]]
Handle = WorkflowHandleAsync


def workflow(name: str) -> Callable[[AsyncFunction[P, R]], AsyncFunction[P, Any]]:
    """Register an async function as the workflow `name`; its body may only call steps.

    Its result is kept as JSON (see `codec.dump`).
    """

    def make(function: AsyncFunction[P, R]) -> AsyncFunction[P, Any]:
        @wraps(function)
        async def run(*args: P.args, **kwargs: P.kwargs) -> Any:
            return dump(await function(*args, **kwargs))

        # DBOS gives a workflow up at its 101st recovery. A run may live through more restarts of
        # its worker than that, and whoever waits for one stops starting workers much earlier.
        return DBOS.workflow(name=name, max_recovery_attempts=None)(run)

    return make


def step(name: str) -> Callable[[AsyncFunction[P, R]], AsyncFunction[P, R]]:
    """Make an async function a step: run at least once, its result kept for good, as JSON.

    The result is of the type that the function's annotation tells, also when it was kept by an
    older version. While the database does not answer, the step is tried again, for ten minutes.
    """

    def make(function: AsyncFunction[P, R]) -> AsyncFunction[P, R]:
        kind = get_type_hints(function)["return"]

        @DBOS.step(
            name=name,
            retries_allowed=True,
            should_retry=lambda error: isinstance(error, StoreError),
            interval_seconds=OUTAGE_LOOK,
            backoff_rate=1.0,
            max_attempts=int(OUTAGE / OUTAGE_LOOK),
        )
        async def kept(*args: P.args, **kwargs: P.kwargs) -> Any:
            return dump(await function(*args, **kwargs))

        async def run(*args: P.args, **kwargs: P.kwargs) -> R:
            found: R = load(kind, await kept(*args, **kwargs), f"what the step `{name}` came to")
            return found

        return run

    return make


async def launch(engine: sa.Engine, executor: str, max_sessions: int) -> None:
    """Start executing: recover what this executor had begun, then take from the queues.

    `executor` is this machine's stable id, so that a reboot finds its own work again. Must be
    called inside the event loop that is to run the workflows.
    """
    logging.getLogger("dbos").setLevel(logging.CRITICAL)  # a normal cancel logs a traceback
    config: DBOSConfig = {
        "name": "abreast",
        "system_database_engine": engine,
        "system_database_url": engine.url.render_as_string(hide_password=False),
        "serializer": DBOSPortableJSONSerializer(),
        "application_version": APPLICATION_VERSION,
        "executor_id": executor,
        "log_level": "CRITICAL",
        "enable_otlp": False,
    }
    DBOS(config=config)
    DBOS.launch()
    queue = DBOS.register_queue_async
    await queue(SESSIONS, polling_interval_sec=_POLL, worker_concurrency=max_sessions)
    await queue(LANDINGS, polling_interval_sec=_SLOW_POLL, partition_concurrency=1)


def shut_down() -> None:
    """Stop executing. Workflows in progress stay pending and go on at the next launch."""
    DBOS.destroy()


@dataclass(frozen=True)
class Ticket:
    """Where a workflow queues, and the id under which it runs once and only once.

    Without a queue it starts at once: the look that DBOS takes at a queue comes late by a tenth of
    a second, which a short question feels.
    """

    queue: str
    id: str
    partition: str | None = None


def run_ticket(run: str, generation: int) -> Ticket:
    """Return the ticket of one request to work on a run, which itself takes no place in a queue."""
    return Ticket("", f"run/{run}/{generation}")


def session_ticket(session: str, attempt: int, *, child: bool = False) -> Ticket:
    """Return the ticket of one attempt at a session, whoever asks for it.

    A `child` waits in no queue: its parent may hold a place there while it waits for the child.
    """
    return Ticket("" if child else SESSIONS, f"session/{session}/{attempt}")


def landing_ticket(run: str, generation: int, place: str) -> Ticket:
    """Return the ticket of a run's landing; there is one at a time for each `place`."""
    return Ticket(LANDINGS, f"land/{run}/{generation}", place)


async def start(
    ticket: Ticket, function: AsyncFunction[P, R], *args: P.args, **kwargs: P.kwargs
) -> WorkflowHandleAsync[R]:
    """Start or enqueue a workflow once: a second call with the same id attaches to the first."""
    with SetWorkflowID(ticket.id):
        if not ticket.queue:
            return await DBOS.start_workflow_async(function, *args, **kwargs)
        with SetEnqueueOptions(queue_partition_key=ticket.partition):
            return await DBOS.enqueue_workflow_async(ticket.queue, function, *args, **kwargs)


async def cancel(tickets: Sequence[Ticket]) -> None:
    """Cancel these workflows: they start nothing more; what they have enqueued continues."""
    await DBOS.cancel_workflows_async([ticket.id for ticket in tickets])


async def first_done(handles: Sequence[WorkflowHandleAsync[R]]) -> WorkflowHandleAsync[R]:
    """Wait until one of these workflows has ended, and return its handle."""
    return await DBOS.wait_first_async(list(handles), polling_interval_sec=_POLL)


def recover(executor: str) -> None:
    """Take over what a dead executor had begun, keeping queue, deadline and attempts."""
    # No public call does this without Conductor: resume_workflow() would drop deadlines, attempts
    # and deduplication ids, and revive what was cancelled meanwhile.
    DBOS._recover_pending_workflows([executor])  # noqa: SLF001
