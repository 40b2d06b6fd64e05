"""Many transcripts read on as many cores as that is worth."""

import json
import os
import sys
import threading
from collections import deque
from collections.abc import Iterable, Sequence

from abreast.engine.reading.ledger.read import FileToRead, Reading, load_reading, read
from abreast.errors import CommandError
from abreast.process.environment import allow

WORTH = 64 * 10**6
"""Bytes that are worth a process more: it takes a tenth of a second to start."""

_BATCH = 16 * 10**6  # bytes that one core takes at a time
_FILE = 64_000  # bytes that are read while a file is opened and its session gets known

Weighed = tuple[FileToRead, int]
"""A task, and the bytes that are to be read for it."""


def read_all(tasks: Sequence[Weighed], *, cores: int = 0) -> list[tuple[FileToRead, Reading]]:
    """Return what each task has found, in no order; `cores` is by default what we may use."""
    weighed = [(task, size + _FILE) for task, size in tasks]
    helpers = min((cores or _cores()) - 1, sum(weight for _, weight in weighed) // WORTH)
    left = deque(_batches(weighed))
    found: list[tuple[FileToRead, Reading]] = []
    answers: list[tuple[list[FileToRead], bytes]] = []
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
        raw = json.loads(answer) if answer else None
        found += zip(batch, map(load_reading, raw) if raw else map(read, batch), strict=True)
    return found


def _work(left: deque[list[FileToRead]], found: list[tuple[FileToRead, Reading]]) -> None:
    while True:
        try:
            batch = left.popleft()
        except IndexError:
            return
        found += ((task, read(task)) for task in batch)


def _help(left: deque[list[FileToRead]], answers: list[tuple[list[FileToRead], bytes]]) -> None:
    """Have a process read batches; what it did not answer is in `answers` without an answer."""
    from abreast.process.piped import Piped  # not for the few bytes of most looks

    batch: list[FileToRead] = []
    argv = [sys.executable, "-I", "-m", "abreast.engine.reading.ledger.helper"]
    try:
        with Piped(argv, allow(os.environ)) as helper:
            while left:
                batch = left.popleft()
                asked = json.dumps([vars(task) for task in batch]).encode()
                answers.append((batch, helper.ask(asked)))
                batch = []
    except IndexError:  # another was faster
        pass
    except CommandError:
        if batch:
            answers.append((batch, b""))


def _batches(tasks: Iterable[Weighed]) -> Iterable[list[FileToRead]]:
    """Return the tasks in portions, the largest first, so that all cores end at the same time."""
    batch: list[FileToRead] = []
    weight = 0
    for task, more in sorted(tasks, key=lambda one: -one[1]):
        batch.append(task)
        weight += more
        if weight >= _BATCH:
            yield batch
            batch, weight = [], 0
    if batch:
        yield batch


def _cores() -> int:
    usable = getattr(os, "sched_getaffinity", None)  # where there is such a thing
    return len(usable(0)) if usable else os.cpu_count() or 1
