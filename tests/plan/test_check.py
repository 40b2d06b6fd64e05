"""Checks are joined, and the machine decides how wide a run is."""

import pytest

from abreast.errors import PlanError, Problem
from abreast.plan.check import default_parallel, require_all

GIB = 2**30


@pytest.mark.parametrize(
    ("cores", "free", "expected"),
    [
        (8, 64 * GIB, 16),
        (2, 64 * GIB, 4),
        (16, 6 * GIB, 6),
        (16, 6 * GIB - 1, 5),
        (4, GIB // 2, 1),
        (0, 0, 1),
    ],
)
def test_cores_and_free_memory_bound_how_many_run_at_once(cores, free, expected):
    assert default_parallel(cores, free) == expected


A, B, C = Problem("a", "bad"), Problem("b", "bad", "mend it"), Problem("c", "bad")


def failing(*problems):
    def check():
        raise PlanError(problems)

    return check


def test_all_checks_are_made_and_all_problems_told_once():
    with pytest.raises(PlanError) as found:
        require_all(failing(A, B), list, lambda: iter([C, A]), failing(B))
    assert found.value.problems == (A, B, C)


def test_without_problems_nothing_is_raised():
    assert require_all(list, tuple) is None
    assert require_all() is None


def test_other_errors_are_not_swallowed():
    def broken():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        require_all(broken)
