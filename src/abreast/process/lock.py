"""A lock file that is held for as long as its holder lives."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def hold_if_free(path: Path) -> Iterator[bool]:
    """Hold the lock on the file at `path`, or yield False at once when another process has it.

    The file stays. The kernel lets go when we die, and no child of ours keeps it.
    """
    # The filelock package, which waits for locks elsewhere, takes four times as long to import as
    # this: too long for what every supervisor of an agent process does first.
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)
