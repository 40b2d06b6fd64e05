"""The machine decides how wide a run is."""

import pytest

from abreast.engine.common.check import default_parallel

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
