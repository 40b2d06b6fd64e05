"""How long to wait between two polls."""

_SHARE = 0.03  # of the time it has taken so far: a look is late by that much, and not by more
_SHORTEST = 0.03  # seconds


def pause(elapsed: float, longest: float) -> float:
    """Return the seconds to wait after `elapsed` ones: short at first, at most `longest`."""
    return min(longest, max(_SHORTEST, elapsed * _SHARE))
