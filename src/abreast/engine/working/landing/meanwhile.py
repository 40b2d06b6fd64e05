"""What is done for others while a batch is on trial, which may take long."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from abreast.engine.working.mishap import log_trace
from abreast.errors import StoreError

_LOOK = 1.0  # seconds between looks: a look is a query


@asynccontextmanager
async def now_and_then(look: Callable[[], None]) -> AsyncIterator[None]:
    """Call `look` once a second in a thread while the body goes on; it has ended when that has.

    What it raises is logged: it is nothing to the body.
    """
    over = asyncio.Event()

    async def watch() -> None:
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), _LOOK)
                return
            try:
                await asyncio.to_thread(look)
            except StoreError:
                continue  # whoever works with what the body comes to will see that
            except Exception:  # noqa: BLE001 - nothing to the body
                log_trace("looking after others")

    task = asyncio.create_task(watch())
    try:
        yield
    finally:
        over.set()
        await task
