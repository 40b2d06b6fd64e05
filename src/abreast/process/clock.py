"""The clocks: the one door through which all of abreast asks for time; ruff forbids all others.

Call them as `clock.wall()`, so that code says which it means and tests can set it.

`wall` is for people and for what other programs write down: it can be set, and it jumps. `boot` is
for measuring across processes: nobody sets it, and it counts on while the machine sleeps. `awake`
is for measuring in one process what only counts while the machine is awake, such as limits.
"""

# A prompt imports it, and waits (`abreast status --line`): it imports next to nothing itself.
import sys
import time
from functools import cache

TYPE_CHECKING = False  # as type checkers know it; `typing` takes longer than all the rest
if TYPE_CHECKING:
    from abreast.model.moment import Moment

# What counts sleep: on macOS it is CLOCK_MONOTONIC, which time.monotonic() does not use there.
_BOOT = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def wall() -> float:
    """Return Unix seconds."""
    return time.time()


def awake() -> float:
    """Return seconds since some moment, without those for which the machine has slept."""
    return time.monotonic()


def awake_ns() -> int:
    """Return the same in whole nanoseconds, to tell moments apart that are close to each other."""
    return time.monotonic_ns()


def boot() -> float:
    """Return the seconds since the machine was started, asleep or awake."""
    return time.clock_gettime(_BOOT)


@cache
def boot_id() -> str:
    """Return the id of this boot of this machine, unique among all; "" where there is none."""
    if sys.platform == "darwin":
        return _boot_session()
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:  # noqa: PTH123
            return file.read().strip()
    except FileNotFoundError:
        return ""


def _boot_session() -> str:
    import ctypes

    said, size = ctypes.create_string_buffer(64), ctypes.c_size_t(64)
    found = ctypes.CDLL(None).sysctlbyname(
        b"kern.bootsessionuuid", said, ctypes.byref(size), None, ctypes.c_size_t(0)
    )
    return said.value.decode() if found == 0 else ""


def now() -> "Moment":
    """Return this moment."""
    from abreast.model.moment import Moment

    return Moment(wall(), f"{boot_id()} {boot():.3f}" if boot_id() else "")
