"""Wall time, CPU time, and how figures of several rounds become one."""

import contextlib
import resource
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import psutil


@dataclass(frozen=True)
class Cost:
    """Seconds of wall time, and of CPU time (user and system) in all processes that took part."""

    wall: float
    cpu: float

    def __truediv__(self, parts: float) -> "Cost":
        return Cost(self.wall / parts, self.cpu / parts)


@contextlib.contextmanager
def metered(
    also: Callable[[], float] = lambda: 0.0, *, own: bool = True
) -> Iterator[Callable[[], Cost]]:
    """Yield a function that, after the block, tells what it has cost.

    CPU time is that of this process (unless `own` is False), of its children that it has waited
    for, with theirs, and whatever `also` counts.
    """
    results: list[Cost] = []
    began, burnt = time.perf_counter(), _cpu(own=own) + also()
    yield lambda: results[0]
    results.append(Cost(time.perf_counter() - began, _cpu(own=own) + also() - burnt))


def _cpu(*, own: bool) -> float:
    whose = [resource.RUSAGE_CHILDREN, *([resource.RUSAGE_SELF] if own else [])]
    usages = [resource.getrusage(who) for who in whose]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def cpu_with_children(process: psutil.Process) -> float:
    """CPU seconds of a process and of all its children that have ended and were waited for."""
    times = process.cpu_times()
    return times.user + times.system + times.children_user + times.children_system


def median(values: Iterable[float]) -> float:
    return statistics.median(values)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of all values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, min(len(ordered) - 1, round(share * len(ordered) + 0.5) - 1))]


def ms(seconds: float) -> str:
    """A time in milliseconds, three figures at most."""
    value = seconds * 1000
    return f"{value:.1f}" if value < 10 else f"{value:,.0f}"
