"""How long to wait between two polls, and for how long in all."""

from abreast.process import clock

_SHARE = 0.03  # of the time it has taken so far: a look is late by that much, and not by more
_SHORTEST = 0.03  # seconds


def pause(elapsed: float, longest: float) -> float:
    """Return the seconds to wait after `elapsed` ones: short at first, at most `longest`."""
    return min(longest, max(_SHORTEST, elapsed * _SHARE))


_GAP = 2.0  # seconds: more than between two looks, also on a busy machine


class Awake:
    """Counts the seconds that somebody has looked and waited, while this process could.

    `look` is called at each look. Between two of them no more than two seconds count: a process
    that was stopped (SIGSTOP, a frozen container) has not waited, and what it waits for may have
    been stopped with it.
    """

    def __init__(self) -> None:
        self._last = clock.awake()
        self.seconds = 0.0

    def look(self) -> float:
        """Return the seconds up to now."""
        now = clock.awake()
        self.seconds += min(now - self._last, _GAP)
        self._last = now
        return self.seconds
