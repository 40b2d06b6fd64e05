"""How long a test waits for what has to come, said once for all of them.

A condition is waited for, never a time, so a long deadline costs nothing where all is well. It
grows with the load that the machine has when the tests begin.
"""

import os
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_QUIET = 60.0  # seconds: on a quiet machine whatever a test waits for is there long before
_LEAST, _MOST = 5.0, 20.0  # times the usual load; beyond that something else is wrong
_VARIABLE = "ABREAST_TEST_PATIENCE"


def _patience() -> float:
    """Return by how much to exceed `_QUIET`: what somebody has set, or by the load on each core."""
    if given := os.environ.get(_VARIABLE):
        return float(given)
    load = os.getloadavg()[0] / (os.cpu_count() or 1)
    return min(max(_LEAST, _LEAST * load), _MOST)


PATIENCE = _patience()
os.environ[_VARIABLE] = str(PATIENCE)  # the same in what the tests start

SECONDS = _QUIET * PATIENCE
"""The longest that one thing may take."""

MINUTES = SECONDS / 60

WHOLE_TEST = 3 * SECONDS
"""The longest that a whole test may take, in seconds; pytest-timeout ends it then."""


def eventually(condition: Callable[[], T], what: str = "") -> T:
    """Return the first true value of `condition()`, looked at often; fail without one.

    Less often after a while: a look at the database takes a few milliseconds of the processor.
    """
    end, pause = time.monotonic() + SECONDS, 0.01
    while not (found := condition()):
        assert time.monotonic() < end, f"not within {SECONDS:.0f} s: {what or condition}"
        time.sleep(pause)
        pause = min(1.2 * pause, 0.05)
    return found
