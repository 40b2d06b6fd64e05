"""Many transcripts read on as many cores as that is worth.

`python -m` this module is another core: it reads the transcripts that lines of JSON name.
"""

import json
import os
import sys
import threading
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import replace

from abreast import codec
from abreast.engine.reading.ledger.read import Reading, read
from abreast.errors import CommandError
from abreast.process.environment import allow
from abreast.process.leaving import leave
from abreast.store.transcripts import Indexed

WORTH = 64 * 10**6
"""Bytes that are worth a process more: it takes a tenth of a second to start."""

_BATCH = 16 * 10**6  # bytes that one core takes at a time
_FILE = 64_000  # bytes that are read while a file is opened and its session gets known

Weighed = tuple[Indexed, int]
"""A file as it is known, and the bytes that are to be read of it."""


def read_all(files: Sequence[Weighed], *, cores: int = 0) -> list[Reading]:
    """Return what each file has to say, in no order; `cores` is by default what we may use."""
    weighed = [(one, size + _FILE) for one, size in files]
    helpers = min((cores or _cores()) - 1, sum(weight for _, weight in weighed) // WORTH)
    left = deque(_batches(weighed))
    found: list[Reading] = []
    answers: list[tuple[list[Indexed], bytes]] = []
    threads = [threading.Thread(target=_help, args=(left, answers)) for _ in range(helpers)]
    for thread in threads:
        thread.start()
    try:
        _work(left, found)
    finally:
        left.clear()
        for thread in threads:
            thread.join()
    for batch, answer in answers:
        # Without an answer the helper was lost, and the batch is still to be read.
        found += _readings(answer) if answer else map(read, batch)
    return found


def _readings(answer: bytes) -> list[Reading]:
    return codec.load(list[Reading], json.loads(answer), "what a helper has read")


def _work(left: deque[list[Indexed]], found: list[Reading]) -> None:
    while True:
        try:
            batch = left.popleft()
        except IndexError:
            return
        found += map(read, batch)


def _help(left: deque[list[Indexed]], answers: list[tuple[list[Indexed], bytes]]) -> None:
    """Have a process read batches; a batch that it lost is in `answers` with an empty answer."""
    from abreast.process.command import Piped  # not for the few bytes of most looks

    batch: list[Indexed] = []
    argv = [sys.executable, "-I", "-m", "abreast.engine.reading.ledger.cores"]
    try:
        with Piped(argv, allow(os.environ)) as helper:
            while left:
                batch = left.popleft()
                asked = json.dumps(codec.dump([replace(one, tallies=[]) for one in batch])).encode()
                answers.append((batch, helper.ask(asked)))
                batch = []
    except IndexError:  # another was faster
        pass
    except CommandError:
        if batch:
            answers.append((batch, b""))


def _batches(files: Iterable[Weighed]) -> Iterable[list[Indexed]]:
    """Return the files in portions, the largest first, so that all cores end at the same time."""
    batch: list[Indexed] = []
    weight = 0
    for one, more in sorted(files, key=lambda one: -one[1]):
        batch.append(one)
        weight += more
        if weight >= _BATCH:
            yield batch
            batch, weight = [], 0
    if batch:
        yield batch


def _cores() -> int:
    usable = getattr(os, "sched_getaffinity", None)  # where there is such a thing
    return len(usable(0)) if usable else os.cpu_count() or 1


def main() -> None:
    """Answer each line of files on standard input with a line of readings, until it ends."""
    for line in sys.stdin.buffer:
        files = codec.load(list[Indexed], json.loads(line), "the files to read")
        # In ASCII: the names of files need not be UTF-8.
        answer = json.dumps(codec.dump([read(one) for one in files]))
        sys.stdout.buffer.write(answer.encode() + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
    leave(0)
