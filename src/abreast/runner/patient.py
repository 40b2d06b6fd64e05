"""Files that wait while their disk is full: what a job prints is kept once there is room again.

Nobody reads the job's pipe meanwhile, so it waits with us.
"""

import io
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from abreast.process.room import LOOK, is_full

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer


class PatientFile(io.RawIOBase):
    """Appends to the file at `path`, whole; `full` is called before each wait for its disk."""

    def __init__(self, path: Path, full: Callable[[], object]) -> None:
        super().__init__()
        self._full = full
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def writable(self) -> bool:
        return True

    def write(self, content: "Buffer") -> int:
        left = memoryview(content).cast("B")
        size = len(left)
        while left:
            try:
                left = left[os.write(self._descriptor, left) :]
            except OSError as failure:
                if not is_full(failure):
                    raise
                self._full()
                time.sleep(LOOK)
        return size

    def close(self) -> None:
        if not self.closed:
            os.close(self._descriptor)
        super().close()


def once_there_is_room(write: Callable[[], object]) -> None:
    """Call `write` again and again while a disk is full."""
    while True:
        try:
            write()
        except OSError as failure:
            if not is_full(failure):
                raise
            time.sleep(LOOK)
        else:
            return
