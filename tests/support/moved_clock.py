"""Runs in a worker before its first line: its clocks show what a file says.

The file `ABREAST_TEST_CLOCK` holds what is added to the clock on the wall, and to the one that
counts sleep; what counts while the machine is awake stays. The machine's own clock is never set.
"""

import os
import time
from pathlib import Path

from abreast.process import clock

_FILE = Path(os.environ.pop("ABREAST_TEST_CLOCK"))
_boot = clock.boot


def _moved(which: int) -> float:
    return float(_FILE.read_text().split()[which])


clock.wall = lambda: time.time() + _moved(0)
clock.boot = lambda: _boot() + _moved(1)
