"""Follows a process from outside: copies its output, tells its story, and watches its limits."""

import io
import json
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, TextIO

from abreast.model.events import Event, EventKind, Outcome, Verdict
from abreast.model.limits import Limits
from abreast.model.usage import Usage
from abreast.process import clock
from abreast.runner.job import STORY, STREAM, JobProgress
from abreast.runner.patient import PatientFile

# A CLI that waits for its provider burns well under one percent of a core; a test run or a
# compiler burns most of one. Five percent of the time since the last look tells them apart.
BUSY_SHARE = 0.05
LOOK_SECONDS = 5.0
STOOD_STILL = 2.0  # seconds between two looks that come five times a second: we were stopped
# Codex and Gemini CLI tell in their streams only at the end what they have used, but write it down
# after every reply. Reading all of that record again may take its time, of which this is a share.
RECORD_SECONDS = 2.0
RECORD_SHARE = 0.05


@dataclass
class Watch:
    """Says which limit has tripped, from now on. Call `seen()` for every piece of output.

    Time is monotonic: neither a clock that is set nor a machine that sleeps trips a limit.
    """

    limits: Limits
    activity: tuple[Path, ...] = ()
    record: Callable[[], Usage] = Usage  # what the process has used by its CLI's own record
    started: float = field(default_factory=clock.awake)
    last_life: float = 0.0
    _looked: float = 0.0
    _asked: float = 0.0
    _cpu: float = 0.0
    _changed: dict[Path, float] = field(default_factory=dict)
    _recorded: Usage = field(default_factory=Usage)
    _read_next: float = 0.0

    def __post_init__(self) -> None:
        self.last_life = self._looked = self._asked = self.started

    def seen(self) -> None:
        self.last_life = clock.awake()

    def go_on(self, *, waiting: bool) -> None:
        """Take the time since the last call as none of the job's, if it was `waiting`.

        For a person who is asked or has stopped it, or for the machine to have memory for it. If we
        were stopped ourselves, it may have lived meanwhile: nobody has looked.
        """
        now = clock.awake()
        if waiting:
            self.started += now - self._asked
        if waiting or now - self._asked > STOOD_STILL:
            self.last_life = now
        self._asked = now

    def tripped(self, progress: JobProgress, pid: int, *, over: bool = False) -> str:
        """Return what has tripped, in words, or "" while all is within bounds.

        `over`: it has stated its result, so that nothing it has spent can be spared any more.
        """
        now = clock.awake()
        limits = self.limits
        if limits.minutes and now - self.started > limits.minutes * 60:
            return f"the time limit of {limits.minutes:g} minutes"
        if not over and (spent := self._spent(progress)):
            return spent
        if limits.idle_minutes and self._idle(now, pid) > limits.idle_minutes * 60:
            return f"the idle limit: no sign of life for {limits.idle_minutes:g} minutes"
        return ""

    def _spent(self, progress: JobProgress) -> str:
        limits = self.limits
        if limits.turns and progress.turns > limits.turns:
            return f"the limit of {limits.turns} turns"
        if limits.tokens and self._tokens(progress) > limits.tokens:
            return f"the limit of {limits.tokens} tokens"
        if limits.usd and (progress.usage.cost_usd or 0.0) > limits.usd:
            return f"the limit of {limits.usd:g} US dollars"
        return ""

    def recorded(self) -> Usage:
        """Return what the process has used by its CLI's own record, as read a little ago."""
        now = clock.awake()
        if now >= self._read_next:
            self._recorded = self.record()
            took = clock.awake() - now
            self._read_next = now + max(RECORD_SECONDS, took / RECORD_SHARE)
        return self._recorded

    def _tokens(self, progress: JobProgress) -> int:
        return max(_count(progress.usage), _count(self.recorded()))

    def _idle(self, now: float, pid: int) -> float:
        """Return the seconds without output, changes of the CLI's files, or work in its tree."""
        quiet = now - self.last_life
        pause = min(LOOK_SECONDS, self.limits.idle_minutes * 60 / 4)
        if now - self._looked >= pause and quiet >= pause:
            cpu, span = tree_cpu_seconds(pid), now - self._looked
            if cpu - self._cpu > BUSY_SHARE * span or self._files_changed():
                self.last_life = now
            self._cpu, self._looked = cpu, now
        return now - self.last_life

    def _files_changed(self) -> bool:
        changed = False
        for path in self.activity:
            try:
                at = path.stat().st_mtime
            except OSError:
                continue
            changed |= self._changed.get(path, 0.0) < at and path in self._changed
            self._changed[path] = at
        return changed


def _count(usage: Usage) -> int:
    return (usage.input_tokens or 0) + (usage.output_tokens or 0)


def tree_cpu_seconds(pid: int) -> float:
    """Return the CPU time used so far by a process and its descendants, in seconds.

    That of children which have ended counts too, or a build of many short commands would look idle
    (macOS does not tell it).
    """
    import psutil  # here, because mostly nobody is quiet for long enough to be asked about

    total = 0.0
    try:
        top = psutil.Process(pid)
        family = [top, *top.children(recursive=True)]
    except psutil.Error:
        return total
    for process in family:
        try:
            times = process.cpu_times()
        except psutil.Error:
            continue
        total += times.user + times.system
        total += times.children_user + times.children_system
    return total


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
    clock: Callable[[], float] = clock.awake
    _room: float = MOST
    _at: float = 0.0
    _left_out: int = 0
    _late: deque[tuple[float, Event]] = field(default_factory=lambda: deque(maxlen=_LATEST))

    def __post_init__(self) -> None:
        self._at = self.clock()

    def tell(self, event: Event) -> None:
        """Write an event, now or, if it is a text among very many, perhaps never."""
        if event.kind in _UNTOLD:
            return  # the database tells of it
        if event.kind is EventKind.TEXT and not self._has_room():
            self._left_out += len(self._late) == _LATEST
            self._late.append((clock.wall(), event))
            return
        self.catch_up()
        self._write(clock.wall(), event)

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
    from abreast.runner.dialogue import Dialogue

# A line carries a command's whole output, which may be megabytes. A program that never ends its
# line must not fill the memory.
LONGEST_LINE = 64 * 1024 * 1024
_READ = 256 * 1024  # bytes; more than a pipe holds
_LONGEST_NAME = 4096  # characters of a path or a session's id; no system takes a longer path
_MOST_FILES = 10_000  # that are shown while it works; git tells what it has changed
_UNTOLD = {EventKind.ASKED, EventKind.NOT_ASKED}
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
    empties the pipe, and the process will wait for that without end. What does not tell its tools
    is taken to have worked when it ends.
    """

    def __init__(
        self,
        pipe: IO[bytes] | None,
        directory: Path,
        reader: "StreamReader",
        watch: Watch,
        *,
        tells_tools: bool = True,
        dialogue: "Dialogue | None" = None,
    ) -> None:
        super().__init__(daemon=True)
        self._pipe, self._directory, self._tells_tools = pipe, directory, tells_tools
        self._reader, self._watch, self._dialogue = reader, watch, dialogue
        self._totals, self._action = JobProgress(), ""
        self._files: dict[str, None] = {}  # in the order in which they were named
        self._begun: dict[str, tuple[str, ...]] = {}  # files of the calls that have not ended
        self._wrote: dict[str, None] = {}
        self._called = False  # a tool has ended since the last turn did
        self.result_at: float | None = None
        self.failure: Exception | None = None
        self.waits = False  # for room on the disk

    def run(self) -> None:
        try:
            self._copy()
        except Exception as failure:  # noqa: BLE001 - a thread's edge; the supervisor tells of it
            self.failure = failure

    def _copy(self) -> None:
        with (
            PatientFile(self._directory / STREAM, self._wait) as stream,
            PatientFile(self._directory / STORY, self._wait) as written,
            io.TextIOWrapper(io.BufferedWriter(written), encoding="utf-8") as story,
        ):
            told = Story(story)
            for line in _lines(self._chunks(stream, story)):
                for event in self._reader.feed(line):
                    self._note(event)
                    told.tell(event)
            told.catch_up()
        if not self._tells_tools:
            self._totals = replace(self._totals, worked=1)

    def _wait(self) -> None:
        """Note that the disk is full: to wait for room is not to be idle."""
        self.waits = True
        self._watch.seen()

    def _chunks(self, stream: io.RawIOBase, story: IO[str]) -> Iterator[bytes]:
        """Yield what there is as it comes: dots and bars are signs of life long before a line.

        What was told of it is on disk before we wait for more.
        """
        while self._pipe is not None and (chunk := self._pipe.read(_READ)):
            stream.write(chunk)
            self.waits = False
            self._watch.seen()
            yield chunk
            story.flush()

    def _note(self, event: Event) -> None:
        if self._dialogue is not None:
            self._dialogue.heard(event)
        if event.kind in _UNTOLD:
            return
        if event.kind in _ACTIONS and event.text:
            self._action = event.text
        self.result_at = clock.awake() if event.kind is EventKind.RESULT else None
        if event.kind is EventKind.TEXT and not (event.turns or event.usage):
            return  # of which there may be hundreds of thousands in a second
        old = self._totals
        # A reply of the model ends the turn before it: that one's tools have done their work.
        over = self._called and (event.turns > 0 or event.kind is EventKind.RESULT)
        self._called = event.kind is EventKind.TOOL_DONE or (self._called and not over)
        if len(self._files) < _MOST_FILES:
            named = (name for name in event.files if len(name) <= _LONGEST_NAME)
            self._files.update(dict.fromkeys(islice(named, _MOST_FILES)))
        started = event.kind is EventKind.STARTED and len(event.text) <= _LONGEST_NAME
        self._note_writing(event)
        self._totals = replace(
            old,
            turns=old.turns + event.turns,
            usage=event.usage or old.usage,
            files=tuple(self._files) if len(self._files) > len(old.files) else old.files,
            wrote=tuple(self._wrote) if len(self._wrote) > len(old.wrote) else old.wrote,
            cli_session=event.text if started else old.cli_session,
            worked=old.worked + over,
        )

    def _note_writing(self, event: Event) -> None:
        """Note what a call has written, once it has ended well: by then its files are known.

        The end of a call is told in the same words as its beginning, or it is the only one.
        """
        if event.kind is EventKind.TOOL and len(self._begun) < _MOST_FILES:
            self._begun[event.text[:_LONGEST_NAME]] = event.files
        elif event.kind is EventKind.TOOL_DONE:
            alone = next(iter(self._begun)) if len(self._begun) == 1 else ""
            text = event.text[:_LONGEST_NAME]
            ended = self._begun.pop(text if text in self._begun else alone, ())
            if not event.failed and len(self._wrote) < _MOST_FILES:
                written = (name for name in ended if len(name) <= _LONGEST_NAME)
                self._wrote.update(dict.fromkeys(islice(written, _MOST_FILES)))
        elif event.kind is EventKind.DENIED and len(self._begun) == 1:
            self._begun.clear()

    @property
    def progress(self) -> JobProgress:
        """The totals so far, with the first line of the latest action."""
        lines = self._action[:_LONGEST_NAME].splitlines()
        shown = replace(self._totals, last_action=lines[0][:200] if lines else "")
        return shown if self._dialogue is None else replace(shown, asked=self._dialogue.asked)


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
