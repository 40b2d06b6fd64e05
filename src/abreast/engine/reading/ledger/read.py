"""Reads what one transcript adds to the ledger: from where it was left, in constant memory."""

import os
import struct
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice
from math import isnan, nan
from pathlib import Path
from typing import Any, BinaryIO
from zlib import crc32

from abreast.agents import records_of
from abreast.agents.parts import Records
from abreast.agents.recorded import LONGEST, open_record
from abreast.economics.ledger import tally
from abreast.model.transcript import Aside, Begun, Spent
from abreast.store.transcripts import Indexed, dump

_ID = 8  # bytes of a request's name
_ANSWER = 6  # of them, those of its answer's
_NAMES = struct.Struct(f"{_ID}s")
_VALUES = struct.Struct("<dHIIIId")
_ASIDE = 1 << 15  # beside the number of a model

Requests = dict[bytes, Spent]
"""Requests by the names that `name_of` gives them, in the order of the record."""


def name_of(agent: str, identity: str) -> bytes:
    """Return a name of fixed length for a request of an agent.

    Where an answer has an id beside that of its request, the name begins with one of the answer:
    see `answer_of`.
    """
    whole = f"{agent}\0{identity}".encode(errors="surrogatepass")
    answer, space, request = whole.partition(b" ")
    if not space:
        return blake2b(whole, digest_size=_ID).digest()
    return (
        blake2b(answer, digest_size=_ANSWER).digest() + crc32(request).to_bytes(4)[_ANSWER - _ID :]
    )


def answer_of(name: bytes) -> bytes:
    """Return what the names of requests with the same answer have in common.

    For those of different ones it is the same as good as never, and does harm only where what the
    one's file has may be a copy.
    """
    return name[:_ANSWER]


def pack(requests: Requests) -> tuple[bytes, list[str], int]:
    """Return requests as bytes, the models that they name, and how many had to be left out.

    Those are the ones whose numbers are larger than any context is, or whose models too many.
    """
    models: dict[str, int] = {}
    values = []
    bad = []
    for name, one in requests.items():
        model = models.setdefault(one.model, len(models))
        if model >= _ASIDE:
            bad.append(name)
            continue
        try:
            values.append(
                _VALUES.pack(
                    one.at,
                    model | (one.aside and _ASIDE),
                    one.input_tokens,
                    one.cached_tokens,
                    one.output_tokens,
                    one.written_tokens,
                    nan if one.cost_usd is None else one.cost_usd,
                )
            )
        except struct.error:
            bad.append(name)
    for name in bad:
        del requests[name]
    return b"".join((*requests, *values)), list(models), len(bad)


def names_in(packed: bytes) -> list[bytes]:
    """Return the names of packed requests."""
    names = _NAMES.iter_unpack(packed[: _count(packed) * _ID])
    return [name for (name,) in names]


def answers_in(packed: bytes) -> set[bytes]:
    """Return what `answer_of` says of the names of packed requests."""
    return {name[:_ANSWER] for name in names_in(packed)}


def unpack(packed: bytes, models: Sequence[str]) -> Requests:
    """Return the requests that were packed, without their ids."""
    values = _VALUES.iter_unpack(packed[_count(packed) * _ID :])
    return {
        name: (Spent if model < _ASIDE else Aside)(
            at,
            "",
            models[model & ~_ASIDE],
            prompt,
            cached,
            output,
            written,
            None if isnan(cost) else cost,
        )
        for name, (at, model, prompt, cached, output, written, cost) in zip(
            names_in(packed), values, strict=True
        )
    }


def _count(packed: bytes) -> int:
    return len(packed) // (_ID + _VALUES.size)


_BUFFER = 1 << 20
# How the names of files end that are read as a whole, and not on from where they were left.
_REWRITTEN = (".gz", ".zst", ".json")
_TAIL = 256  # bytes before the place where reading goes on, that must be what they were
_HEAD = 200  # lines in which a session has introduced itself
_FORKED = 5000  # lines in which a fork has said what it was taken from, the nearest one last


SIGNED = 2**63 - 1  # no database has larger numbers; some file systems have


@dataclass
class Reading:
    """What a file had to say beyond what was known of it; from its beginning when `whole`.

    `requests` are as `pack` makes them, `row` has their models and sums. `failed` tells why the
    file could not be read.
    """

    row: Indexed
    requests: bytes = b""
    whole: bool = True
    failed: str = ""


def read(known: Indexed) -> Reading:
    """Read a file, or what has been added to it since it was `known`.

    Never raises for what the file is.
    """
    row = Indexed(known.path, known.agent)
    found, path, records = Reading(row), Path(known.path), records_of(known.agent)
    try:
        with open_record(path, _BUFFER) as file:
            status = os.fstat(file.fileno())
            row.inode = status.st_ino & SIGNED
            row.size, row.mtime = status.st_size, status.st_mtime_ns
            found.whole = not _goes_on(known, row, file)
            if found.whole:
                _introduce(row, records, path, file)
                file.seek(0)
            requests = _spent(found, known.load_state(), records, file)
    except OSError as error:
        return Reading(row, failed=error.strerror or str(error))
    found.requests, row.models, bad = pack(requests)
    if bad:
        row.warnings = [*row.warnings, "requests state numbers of tokens that cannot be: left out"]
    row.tallies = tally(requests.values())
    return found


def known_bytes(known: Indexed, inode: int, size: int) -> int:
    """Return how much of a file, as it is now, need not be read again: 0 if it is another one."""
    grown = inode == known.inode and known.read_bytes <= size
    return known.read_bytes if grown and not known.path.endswith(_REWRITTEN) else 0


def forked_from(row: Indexed) -> str:
    """Return the session whose history a file begins with, "" when it is its own."""
    path = Path(row.path)
    try:
        with open_record(path, _BUFFER) as file:
            last = deque(_introductions(records_of(row.agent), path, file, _FORKED), maxlen=1)
    except OSError:
        return ""
    return last[0].forked_from if last else ""


def _goes_on(known: Indexed, now: Indexed, file: BinaryIO) -> bool:
    """Return whether the file still begins with what was read of it, and stand behind that."""
    offset = known_bytes(known, now.inode, now.size)
    if not offset:
        return False
    tail: tuple[int, int] = known.load_state().get("tail", (0, 0))
    file.seek(offset - tail[0])
    return crc32(file.read(tail[0])) == tail[1]


def _introduce(row: Indexed, records: Records, path: Path, file: BinaryIO) -> None:
    begun = Begun(0.0, "")
    for begun in _introductions(records, path, file, _HEAD):
        if begun.session:
            break
    row.session, row.parent = begun.session or path.stem, begun.parent
    row.cwd, row.begun = begun.cwd, begun.at


def _introductions(records: Records, path: Path, file: BinaryIO, most: int) -> Iterator[Begun]:
    """Yield how a session introduces itself in the first `most` lines: a fork more than once."""
    events, told = records.Events(path), Begun(0.0, "")
    for line in islice(_lines(file), most):
        if not told.session or records.introduces(line, told):
            for event in events.feed(line):
                if isinstance(event, Begun):
                    told = event
                    yield told


def _spent(found: Reading, state: dict[str, Any], records: Records, file: BinaryIO) -> Requests:
    """Read on to the end, and note how far that was; `state` is that of what is known."""
    row, known = found.row, state.get("spending")
    spending = records.Spending(Path(row.path), None if found.whole else known)
    carries = records.carries
    requests, agent, warnings = Requests(), row.agent, list[str]()
    line = last = name = b""
    identity = None
    readline, feed = file.readline, spending.feed
    while line := readline(LONGEST):
        if line[-1:] != b"\n":
            if len(line) < LONGEST:
                break
            line = _skip(file, warnings)
        last = line
        if carries(line):
            for one in feed(line):
                if one.id != identity:  # most are told several times in a row
                    identity = one.id
                    name = name_of(agent, identity)
                requests[name] = one
    torn = line
    row.read_bytes = file.tell() - len(torn)
    if tail := last[-_TAIL:]:
        state["tail"] = len(tail), crc32(tail)
    row.state = dump(state | {"spending": known if spending.state is None else spending.state})
    row.skipped, row.warnings = spending.skipped, [*warnings, *spending.warnings]
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
