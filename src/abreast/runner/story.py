"""Writes what a process did in vendor-neutral words, one event a line, in bounded size."""

import json
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TextIO

from abreast.model.events import Event, EventKind

# A program may print without measure. Its stream is kept whole; of its texts the story holds so
# many characters at once, and so many more for each second.
MOST = 256 * 1024
A_SECOND = 16 * 1024
_AGAIN = 8 * 1024  # how much there must be left to tell before it goes on after a gap
_LATEST = 20  # texts of a gap that are told: the last ones say how it ended


@dataclass
class Story:
    """Writes events to `file`. Of texts that come too fast it tells the first and the last."""

    file: TextIO
    clock: Callable[[], float] = time.monotonic
    _room: float = MOST
    _at: float = 0.0
    _left_out: int = 0
    _late: deque[tuple[float, Event]] = field(default_factory=lambda: deque(maxlen=_LATEST))

    def __post_init__(self) -> None:
        self._at = self.clock()

    def tell(self, event: Event) -> None:
        """Write an event, now or, if it is a text among very many, perhaps never."""
        if event.kind is EventKind.TEXT and not self._has_room():
            self._left_out += len(self._late) == _LATEST
            self._late.append((time.time(), event))
            return
        self.catch_up()
        self._write(time.time(), event)

    def catch_up(self) -> None:
        """Write how much was left out, and the latest of what was."""
        if self._left_out:
            gone = f"({self._left_out:,} more lines; `abreast logs --stream` has them)"
            self._write(self._late[0][0], Event(EventKind.TEXT, gone))
        while self._late:
            self._write(*self._late.popleft())
        self._left_out = 0

    def _has_room(self) -> bool:
        now = self.clock()
        self._room = min(MOST, self._room + (now - self._at) * A_SECOND)
        self._at = now
        return self._room > (_AGAIN if self._late else 0)

    def _write(self, at: float, event: Event) -> None:
        told = {"at": at, "kind": event.kind, "text": event.text, "failed": event.failed}
        line = json.dumps(told) + "\n"
        if event.kind is EventKind.TEXT:
            self._room -= len(line)
        self.file.write(line)
