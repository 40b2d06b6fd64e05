"""Copies a process's output to a file and writes its events in vendor-neutral words."""

import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING

from abreast.model.events import Event, EventKind, Outcome, Usage, Verdict
from abreast.runner.job import STORY, STREAM, JobProgress
from abreast.runner.story import Story
from abreast.runner.watch import Watch

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
        """What there is to show of it by now."""
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
