"""How much memory the machine has left, and whether its processes wait for some."""

import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

VARIABLE = "ABREAST_MEMORY"
"""Names a folder whose `meminfo` and `pressure/memory` are read in place of those in `/proc`."""

_MIB = 2**20


class Strain(IntEnum):
    """How the machine stands for memory."""

    NONE = 0
    TIGHT = 1  # there is none for another session
    SHORT = 2  # there is too little for those at work


@dataclass(frozen=True)
class Memory:
    """Bytes that the machine has in all, and that could be had without swapping.

    `stalled` is for how much of the last ten seconds, in percent, every process that had work to do
    waited for memory; 0 where the system does not tell (Documentation/accounting/psi.rst).
    """

    total: int
    available: int
    stalled: float = 0.0

    @property
    def strain(self) -> Strain:
        """How the machine stands.

        Of a machine that stands still for a tenth of the time for want of memory a person notices
        that it does; systemd-oomd waits for six times as much, and then kills.
        """
        least = min(512 * _MIB, self.total // 20)
        if self.available < least or self.stalled >= 10.0:
            return Strain.SHORT
        return Strain.TIGHT if self.available < 2 * least or self.stalled >= 5.0 else Strain.NONE

    def __str__(self) -> str:
        left = f"{self.available / 2**30:.1f} of {self.total / 2**30:.1f} GiB are free"
        waits = f", and processes wait for it {self.stalled:.0f} % of the time"
        return left + (waits if self.stalled >= 1.0 else "")


def read_memory(environ: Mapping[str, str] = os.environ) -> Memory:
    """Return how the machine stands now. Some 50 microseconds on Linux."""
    folder = Path(environ.get(VARIABLE) or "/proc")
    try:
        told = (folder / "meminfo").read_text(encoding="ascii")
        lines = (line.partition(":") for line in told.splitlines())
        kib = {name: int(rest.split()[0]) for name, _, rest in lines}
        total, available = kib["MemTotal"] * 1024, kib["MemAvailable"] * 1024
    except (OSError, KeyError, ValueError, IndexError):  # no Linux
        import psutil

        found = psutil.virtual_memory()
        return Memory(found.total, found.available)
    return Memory(total, available, _stalled(folder / "pressure/memory"))


def _stalled(file: Path) -> float:
    with contextlib.suppress(OSError, ValueError, IndexError):  # the kernel may not count it
        for line in file.read_text(encoding="ascii").splitlines():
            kind, tenth, *_ = line.split()
            if kind == "full":
                return float(tenth.removeprefix("avg10="))
    return 0.0
