"""The snapshots of the board: read in a thread of their own, for as long as the board is open."""

import threading
from collections.abc import Callable

from abreast.api.following import changes_until
from abreast.errors import AbreastError
from abreast.model.snapshot import Snapshot
from abreast.places import Places

EVERY = 0.25
"""Seconds between two snapshots at least: so often at most is the board drawn anew."""

_AGAIN = 2.0  # seconds until a database that does not answer is asked again


class Feed:
    """Reads what changes, and hands it on from its thread: to `show`, or why not to `fail`."""

    def __init__(
        self,
        places: Places,
        show: Callable[[Snapshot], object],
        fail: Callable[[AbreastError], object],
    ) -> None:
        self._places, self._show, self._fail = places, show, fail
        self._given_up = threading.Event()

    def run(self) -> None:
        """Read until the end; a database that does not answer is asked again."""
        while not self._given_up.is_set():
            try:
                for snapshot in changes_until(self._given_up, every=EVERY, places=self._places):
                    self._show(snapshot)
            except AbreastError as error:
                self._fail(error)
                self._given_up.wait(_AGAIN)

    def end(self) -> None:
        """Let the thread end, within a tenth of a second."""
        self._given_up.set()
