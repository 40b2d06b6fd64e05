"""How the C library hands out memory."""

import sys

_M_ARENA_MAX = -8
_ARENAS = 2


def share_heaps() -> None:
    """Have all threads of this process take their memory from two heaps; only glibc does that.

    By itself it makes eight for each core. What dozens of threads have used for a moment stays
    scattered over all of them, and a process that lives long grows with what it has done.
    """
    if sys.platform != "linux":
        return
    import ctypes  # only a worker lives so long

    if found := getattr(ctypes.CDLL(None), "mallopt", None):
        found(_M_ARENA_MAX, _ARENAS)
