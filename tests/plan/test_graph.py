"""Every circle of needs is found, each once, from its first task on."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abreast.plan.names import find_cycles


@pytest.mark.parametrize(
    ("needs", "cycles"),
    [
        ({}, []),
        ({"a": [], "b": ["a"], "c": ["a", "b"]}, []),
        ({"a": ["x"], "b": ["a", "x"]}, []),
        ({"a": ["a"]}, [["a", "a"]]),
        ({"z": ["b"], "b": ["a"], "a": ["z"]}, [["z", "b", "a", "z"]]),
        ({"a": ["b"], "b": ["a"], "c": ["d"], "d": ["c"]}, [["a", "b", "a"], ["c", "d", "c"]]),
    ],
)
def test_cycles(needs, cycles):
    assert find_cycles(needs) == cycles


IDS = st.sampled_from("abcdef")


@given(st.dictionaries(IDS, st.lists(IDS, max_size=3)))
def test_what_is_found_is_a_circle_and_without_it_there_is_none(needs):
    cycles = find_cycles(needs)
    for cycle in cycles:
        assert cycle[0] == cycle[-1]
        assert all(later in needs[task] for task, later in pairwise(cycle))
    broken = {task for cycle in cycles for task in cycle}
    left = {task: wanted for task, wanted in needs.items() if task not in broken}
    assert find_cycles(left) == []
    done = set()
    for _ in left:
        done |= {t for t, wanted in left.items() if done >= {w for w in wanted if w in left}}
    assert done == left.keys()
