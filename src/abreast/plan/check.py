"""What the checks of a plan share with those that need the machine, which others make."""

from collections.abc import Callable, Iterable

from abreast.errors import PlanError, Problem

_GIB = 2**30


def default_parallel(cores: int, available_bytes: int) -> int:
    """Return how many sessions to run at once: two a core, one a GiB of free memory, at least 1.

    An agent waits for its model most of the time, so two share a core well; what it starts (a
    build, a test run) needs the memory.
    """
    return max(1, min(2 * cores, available_bytes // _GIB))


def require_all(*checks: Callable[[], Iterable[Problem]]) -> None:
    """Make every check, even after one has failed, and raise one PlanError with all they found.

    A check returns its problems or raises a PlanError of its own; a problem found by several
    checks is told once.
    """
    found: list[Problem] = []
    for check in checks:
        try:
            found += check()
        except PlanError as error:
            found += error.problems
    if found:
        raise PlanError(list(dict.fromkeys(found)))
