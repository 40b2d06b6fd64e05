"""Pages that change while one looks: made of parts with names, and only those are sent anew.

A part is one element whose `id` is its name; the parts of a page stand in a row in one container.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from typing import Protocol, cast

from markupsafe import Markup

from abreast import aio
from abreast.model.snapshot import Snapshot
from abreast.places import Places

EVERY = 0.25
"""Seconds between two patches of a view, at least."""

STREAMS = 12
"""Event streams at once: browsers keep six to a host."""

Parts = Mapping[str, Markup]


class LiveView(Protocol):
    """What a page shows. `run` is the only one that it needs; empty: all."""

    run: str

    def parts(self, snapshot: Snapshot) -> Parts:
        """Return the elements of the page, by their ids, in the order in which they stand."""
        ...


class Streams:
    """Counts who listens, so that no page can open any number of streams."""

    def __init__(self, most: int = STREAMS) -> None:
        self._free = most

    def take(self) -> bool:
        """Return whether there is room for one more; give it back with `leave`."""
        if self._free <= 0:
            return False
        self._free -= 1
        return True

    def leave(self) -> None:
        self._free += 1


async def patches(view: LiveView, places: Places) -> AsyncIterator[str]:
    """Yield what changes in a page as JSON: `set` has elements by id, `order` all ids when it does.

    The first patch has all: the page may have been written long before.
    """
    shown: dict[str, Markup] = {}
    # It is a generator, whose thread ends with it.
    found = cast("AsyncGenerator[Snapshot]", aio.changes(run=view.run, every=EVERY, places=places))
    async with aclosing(found) as snapshots:
        async for snapshot in snapshots:
            parts = await asyncio.to_thread(view.parts, snapshot)
            patch: dict[str, object] = {}
            if new := {name: str(html) for name, html in parts.items() if shown.get(name) != html}:
                patch["set"] = new
            if [*parts] != [*shown]:
                patch["order"] = [*parts]
            shown = dict(parts)
            if patch:
                yield json.dumps(patch)
