"""Waves: no task beside one that it is coupled with, and few of them."""

from itertools import combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abreast.gate.waves import Arrangement, Coupling, arrange


def test_no_coupling_makes_one_wave():
    assert arrange("abc", {}, []) == Arrangement((("a", "b", "c"),), ())


def test_a_direction_is_kept():
    found = arrange("ab", {}, [Coupling("a", "b", before="b")])
    assert found == Arrangement((("b",), ("a",)), (("b", "a"),))


def test_a_direction_that_the_needs_forbid_is_turned_round():
    found = arrange("ab", {"b": "a"}, [Coupling("a", "b", before="b")])
    assert found == Arrangement((("a",), ("b",)), (("a", "b"),))


def test_the_task_that_most_wait_for_goes_first():
    hub = [Coupling(other, "hub") for other in ("a", "b", "c")]
    found = arrange(["a", "b", "c", "hub"], {}, hub)
    assert found.waves == (("hub",), ("a", "b", "c"))


def test_directions_in_a_circle_give_a_sequence():
    circle = [Coupling("a", "b", "a"), Coupling("b", "c", "b"), Coupling("a", "c", "c")]
    assert arrange("abc", {}, circle).waves == (("a",), ("b",), ("c",))


def test_a_circle_of_needs_is_an_error():
    with pytest.raises(ValueError, match="circle"):
        arrange("ab", {"a": "b", "b": "a"}, [])


@st.composite
def _plans(draw, most=7):
    order = [chr(ord("a") + at) for at in range(draw(st.integers(1, most)))]
    pairs = list(combinations(order, 2))
    needs: dict[str, set[str]] = {task: set() for task in order}
    couplings = []
    ranked = draw(st.permutations(order))  # needs need not follow the plan's order
    for one, other in pairs:
        kind = draw(st.sampled_from(["", "", "", "needs", "either", "first", "second"]))
        earlier, later = sorted((one, other), key=ranked.index)
        if kind == "needs":
            needs[later].add(earlier)
        elif kind:
            before = {"either": "", "first": one, "second": other}[kind]
            couplings.append(Coupling(one, other, before))
    return order, needs, couplings


@given(_plans())
def test_waves_respect_needs_and_couplings(plan):
    order, needs, couplings = plan
    found = arrange(order, needs, couplings)
    level = {task: at for at, wave in enumerate(found.waves) for task in wave}
    assert sorted(level) == order
    assert all(found.waves)
    for task in order:
        assert all(level[earlier] < level[task] for earlier in needs[task])
    for earlier, later in found.edges:
        assert level[earlier] < level[later]
    assert {frozenset(edge) for edge in found.edges} == {
        frozenset((one.first, one.second)) for one in couplings
    }


@given(_plans(most=5))
@settings(max_examples=60)
def test_waves_are_at_most_one_more_than_necessary(plan):
    order, needs, couplings = plan
    undirected = [Coupling(one.first, one.second) for one in couplings]
    assert len(arrange(order, needs, undirected).waves) <= _fewest(order, needs, undirected) + 1


def _fewest(order, needs, couplings):
    """Return how few waves there can be, by trying all ways."""
    for most in range(1, len(order) + 1):
        for levels in product(range(most), repeat=len(order)):
            level = dict(zip(order, levels, strict=True))
            ordered = all(level[n] < level[t] for t in order for n in needs[t])
            if ordered and all(level[one.first] != level[one.second] for one in couplings):
                return most
    raise AssertionError


def test_fifty_tasks_of_which_each_is_coupled_with_many():
    order = [f"t{at}" for at in range(50)]
    couplings = [
        Coupling(one, other)
        for (at, one), (to, other) in combinations(enumerate(order), 2)
        if (at * to) % 3 == 1
    ]
    found = arrange(order, {}, couplings)
    assert sum(map(len, found.waves)) == 50
