"""Copies a process's output to a file, and tells its story in words that belong to no vendor."""

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, TextIO

from abreast.model.events import Event, EventKind, Outcome, Usage, Verdict
from abreast.runner.job import STORY, STREAM, JobProgress
from abreast.runner.watch import Watch

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


if TYPE_CHECKING:
    from abreast.agents.base import StreamReader

# A line carries a command's whole output, which may be megabytes. A program that never ends its
# line must not fill the memory.
LONGEST_LINE = 64 * 1024 * 1024
_READ = 256 * 1024  # bytes; more than a pipe holds
_ACTIONS = {EventKind.TOOL, EventKind.TEXT, EventKind.RETRY, EventKind.DENIED, EventKind.ERROR}


class PlainReader:
    """Reads a command that is no agent: any line is progress, the exit code is the verdict."""

    def __init__(self) -> None:
        self.skipped = 0
        self._last = ""

    def feed(self, line: bytes) -> Iterable[Event]:
        text = line.decode(errors="replace").rstrip()[:500]
        if not text:
            return []
        self._last = text.strip()
        return [Event(EventKind.TEXT, text)]

    def used(self) -> Usage:
        return Usage()

    def verdict(self, code: int | None, stderr: str) -> Verdict:  # noqa: ARG002 - it has none
        if code == 0:
            return Verdict(Outcome.OK)
        said = f": {self._last}" if self._last else ""
        return Verdict(Outcome.FAILED, f"exit code {code}{said}")


class Pump(threading.Thread):
    """Copies standard output to the stream file and tells the story of it.

    `pipe` is unbuffered. `failure` is what kept us from reading on, if anything did: then nobody
    empties the pipe, and the process will wait for that without end.
    """

    def __init__(
        self, pipe: IO[bytes] | None, directory: Path, reader: "StreamReader", watch: Watch
    ) -> None:
        super().__init__(daemon=True)
        self._pipe, self._directory = pipe, directory
        self._reader, self._watch = reader, watch
        self._totals, self._action = JobProgress(), ""
        self._files: dict[str, None] = {}  # in the order in which they were named
        self.result_at: float | None = None
        self.failure: Exception | None = None

    def run(self) -> None:
        try:
            self._copy()
        except Exception as failure:  # noqa: BLE001 - a thread's edge; the supervisor tells of it
            self.failure = failure

    def _copy(self) -> None:
        with (
            (self._directory / STREAM).open("ab", buffering=0) as stream,
            (self._directory / STORY).open("a", encoding="utf-8") as story,
        ):
            told = Story(story)
            for line in _lines(self._chunks(stream, story)):
                for event in self._reader.feed(line):
                    self._note(event)
                    told.tell(event)
            told.catch_up()

    def _chunks(self, stream: IO[bytes], story: IO[str]) -> Iterator[bytes]:
        """Yield what there is as it comes: dots and bars are signs of life long before a line.

        What was told of it is on disk before we wait for more.
        """
        while self._pipe is not None and (chunk := self._pipe.read(_READ)):
            stream.write(chunk)
            self._watch.seen()
            yield chunk
            story.flush()

    def _note(self, event: Event) -> None:
        if event.kind in _ACTIONS and event.text:
            self._action = event.text
        self.result_at = time.monotonic() if event.kind is EventKind.RESULT else None
        if event.kind is EventKind.TEXT and not (event.turns or event.usage):
            return  # of which there may be hundreds of thousands in a second
        old = self._totals
        self._files.update(dict.fromkeys(event.files))
        self._totals = replace(
            old,
            turns=old.turns + event.turns,
            usage=event.usage or old.usage,
            files=tuple(self._files) if len(self._files) > len(old.files) else old.files,
            cli_session=event.text if event.kind is EventKind.STARTED else old.cli_session,
        )

    @property
    def progress(self) -> JobProgress:
        """The totals so far, with the first line of the latest action."""
        lines = self._action.splitlines()
        return replace(self._totals, last_action=lines[0][:200] if lines else "")


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield whole lines, the last one as it is; a very long one comes in pieces."""
    begun: list[bytes] = []
    size = 0
    for chunk in chunks:
        head, *whole = chunk.split(b"\n")
        for rest in whole:
            yield b"".join([*begun, head, b"\n"])
            begun, size, head = [], 0, rest
        begun.append(head)
        size += len(head)
        if size > LONGEST_LINE:
            yield b"".join(begun)
            begun, size = [], 0
    if size:
        yield b"".join(begun)
