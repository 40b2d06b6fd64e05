"""How wide a run is by default on a machine."""

_GIB = 2**30


def default_parallel(cores: int, available_bytes: int) -> int:
    """Return how many sessions to run at once: two a core, one a GiB of free memory, at least 1.

    An agent waits for its model most of the time, so two share a core well; what it starts (a
    build, a test run) needs the memory.
    """
    return max(1, min(2 * cores, available_bytes // _GIB))
