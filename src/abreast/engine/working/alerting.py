"""A worker tells of sessions that begin to need a person, and keeps the line of `status --line`.

Only where somebody wants it: there is a way to tell, or a prompt has asked for the line of late.
While a face is open it tells by itself, and the worker does not.
"""

import contextlib
import os
import sys
import threading
from collections.abc import Iterator, Mapping

from abreast.engine.common import faces_open, notifying, status_line
from abreast.engine.common.settings_files import user_file, user_layers
from abreast.engine.reading.snapshots import keep_line, look
from abreast.errors import AbreastError
from abreast.faces.alerts import Seen, begun, seen
from abreast.model.alert import NotifySettings
from abreast.model.snapshot import Snapshot
from abreast.places import Places
from abreast.plan.settings import notify_of
from abreast.process import clock
from abreast.store.changed import Changed
from abreast.store.snapshots import SnapshotReader

_LOOK = 1.0  # seconds


@contextlib.contextmanager
def alerting(places: Places) -> Iterator[None]:
    """Look each second, in a thread of its own, until the block ends."""
    ended = threading.Event()
    thread = threading.Thread(target=_watch, args=(places, ended), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _watch(places: Places, ended: threading.Event) -> None:
    watch = AlertWatch(places)
    try:
        while not ended.wait(_LOOK):
            # What cannot be read now is read at the next look.
            with contextlib.suppress(AbreastError, OSError):
                watch.look()
    finally:
        watch.close()


class AlertWatch:
    """Looks at all sessions whenever something has changed; for one thread."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._changed = Changed(places.database)
        self._reader = SnapshotReader(places.database)
        self._seen: Seen | None = None
        self._last: Snapshot | None = None
        self._began = clock.wall()
        self._settings = SettingsWatch(os.environ)

    def look(self) -> None:
        """Keep the line, and tell what has begun to need a person since the last look.

        What needed one before the first look has been told by somebody else.
        """
        state, settings = str(self._places.state), self._settings.notify()
        line = status_line.wanted(state)
        if not (line or notifying.can_tell(settings, os.environ)):
            self._seen = None
            return
        before = status_line.mark(self._places.database)
        if not self._changed.poll() and self._seen is not None:
            if line:
                status_line.still(state)
            return
        found = self._last = look(self._reader, self._places, self._last)
        if line:
            keep_line(found, self._places, before)
        self._tell(found, settings)

    def _tell(self, found: Snapshot, settings: NotifySettings) -> None:
        before = seen(found, self._began) if self._seen is None else self._seen
        self._seen = seen(found)
        if faces_open.is_open(self._places):
            return
        for alert in begun(before, found):
            for wrong in notifying.deliver(alert, settings, os.environ):
                sys.stderr.write(f"nobody was told that {alert.session} needs somebody: {wrong}\n")

    def close(self) -> None:
        self._changed.close()


class SettingsWatch:
    """The user's settings of notices, read again when their file has changed."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._stamp: tuple[int, int, int] | None = None
        self._found = NotifySettings()

    def notify(self) -> NotifySettings:
        """Return them as they are now; where they cannot be read, the default."""
        try:
            found = user_file(self._environ).stat()
            stamp = (found.st_mtime_ns, found.st_size, found.st_ino)
        except OSError:
            return NotifySettings()
        if stamp != self._stamp:
            self._stamp, self._found = stamp, NotifySettings()
            with contextlib.suppress(AbreastError):  # the next run says what is wrong with them
                self._found = notify_of(user_layers(self._environ))
        return self._found
