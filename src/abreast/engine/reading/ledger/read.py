"""Reads what one transcript adds to the ledger: from where it was left, in constant memory."""

import base64
import os
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO
from zlib import crc32

from abreast.agents import records_of
from abreast.agents.base import Records
from abreast.agents.recorded import LONGEST, open_record
from abreast.economics.ledger import tally
from abreast.engine.reading.ledger.pack import Requests, name_of, pack
from abreast.model.ledger import Tally
from abreast.model.transcript import Begun

_BUFFER = 1 << 20
REWRITTEN = (".gz", ".zst", ".json")
"""How the names of files end that are read as a whole, and not on from where they were left."""

_TAIL = 256  # bytes before the place where reading goes on, that must be what they were
_HEAD = 200  # lines in which a session has introduced itself
_FORKED = 5000  # lines in which a fork has said what it was taken from, the nearest one last


@dataclass(frozen=True)
class FileToRead:
    """A file to read. `offset`, `state` and `tail` are those of an earlier `Reading`, if any."""

    agent: str
    path: str
    offset: int = 0
    state: Mapping[str, Any] | None = None
    tail: tuple[int, int] = (0, 0)


@dataclass
class Reading:
    """What a file had to say beyond `FileToRead.offset`; from its beginning when `whole`.

    `requests` and `models` are as `pack` makes them, `tallies` their sums. `failed` tells why the
    file could not be read.
    """

    whole: bool = True
    inode: int = 0
    size: int = 0
    mtime: int = 0
    offset: int = 0
    state: Mapping[str, Any] | None = None
    tail: tuple[int, int] = (0, 0)
    session: str = ""
    parent: str = ""
    cwd: str = ""
    begun: float = 0.0
    requests: bytes = b""
    models: list[str] = field(default_factory=list)
    tallies: list[Tally] = field(default_factory=list)
    skipped: int = 0
    warnings: list[str] = field(default_factory=list)
    failed: str = ""


def read(task: FileToRead) -> Reading:
    """Read a file, or what has been added to it. Never raises for what the file is."""
    found, path, records = Reading(), Path(task.path), records_of(task.agent)
    try:
        with open_record(path, _BUFFER) as file:
            status = os.fstat(file.fileno())
            found.inode, found.size, found.mtime = status.st_ino, status.st_size, status.st_mtime_ns
            found.whole = not _goes_on(task, file, status.st_size)
            if found.whole:
                _introduce(found, records, path, file)
                file.seek(0)
            requests = _spent(found, task, records, file)
    except OSError as error:
        return Reading(failed=error.strerror or str(error))
    found.requests, found.models, bad = pack(requests)
    if bad:
        found.warnings.append("requests state numbers of tokens that cannot be: left out")
    found.tallies = tally(requests.values())
    return found


def forked_from(task: FileToRead) -> str:
    """Return the session whose history a file begins with, "" when it is its own."""
    path = Path(task.path)
    try:
        with open_record(path, _BUFFER) as file:
            last = deque(_introductions(records_of(task.agent), path, file, _FORKED), maxlen=1)
    except OSError:
        return ""
    return last[0].forked_from if last else ""


def dump_reading(found: Reading) -> dict[str, Any]:
    """Return a reading as JSON can carry it."""
    return vars(found) | {"requests": base64.b64encode(found.requests).decode()}


def load_reading(raw: Mapping[str, Any]) -> Reading:
    return Reading(
        **{
            **raw,
            "requests": base64.b64decode(raw["requests"]),
            "tallies": [Tally(*one) for one in raw["tallies"]],
            "tail": (raw["tail"][0], raw["tail"][1]),
        }
    )


def _goes_on(task: FileToRead, file: BinaryIO, size: int) -> bool:
    """Return whether the file still begins with what was read of it, and stand behind that."""
    length, digest = task.tail
    if not 0 < task.offset <= size or task.path.endswith(REWRITTEN):
        return False
    file.seek(task.offset - length)
    return crc32(file.read(length)) == digest


def _introduce(found: Reading, records: Records, path: Path, file: BinaryIO) -> None:
    begun = Begun(0.0, "")
    for begun in _introductions(records, path, file, _HEAD):
        if begun.session:
            break
    found.session, found.cwd, found.begun = begun.session or path.stem, begun.cwd, begun.at
    found.parent = begun.parent


def _introductions(records: Records, path: Path, file: BinaryIO, most: int) -> Iterator[Begun]:
    """Yield how a session introduces itself in the first `most` lines: a fork more than once."""
    events = records.Events(path)
    for line in islice(_lines(file), most):
        yield from (event for event in events.feed(line) if isinstance(event, Begun))


def _spent(found: Reading, task: FileToRead, records: Records, file: BinaryIO) -> Requests:
    """Read on to the end, and note in `found` how far that was."""
    spending = records.Spending(Path(task.path), None if found.whole else task.state)
    carries = records.carries
    requests, agent = Requests(), task.agent
    line = last = name = b""
    identity = None
    readline, feed = file.readline, spending.feed
    while line := readline(LONGEST):
        if line[-1:] != b"\n":
            if len(line) < LONGEST:
                break
            line = _skip(file, found.warnings)
        last = line
        if carries(line):
            for one in feed(line):
                if one.id != identity:  # most are told several times in a row
                    identity = one.id
                    name = name_of(agent, identity)
                requests[name] = one
    torn = line
    found.offset = file.tell() - len(torn)
    found.state, found.skipped = spending.state, spending.skipped
    found.warnings += spending.warnings
    tail = last[-_TAIL:]
    found.tail = (len(tail), crc32(tail)) if tail else task.tail
    if torn and carries(torn):  # it may be whole; if not, it will be read again
        requests |= {name_of(agent, one.id): one for one in spending.feed(torn)}
    return requests


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """Yield the lines; in the place of one that is too long, an empty one."""
    while line := file.readline(LONGEST):
        yield _skip(file, []) if len(line) == LONGEST and line[-1:] != b"\n" else line


def _skip(file: BinaryIO, warnings: list[str]) -> bytes:
    """Read to the end of a line that is too long, and return an empty one in its place."""
    warnings.append(f"a line is longer than {LONGEST} bytes: left out")
    while (rest := file.readline(LONGEST)) and rest[-1:] != b"\n":
        pass
    return b"\n"
