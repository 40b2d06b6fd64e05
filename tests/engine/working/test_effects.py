"""Each thing that the worker's code does outside the database has a test that tries it."""

from tests.support.effects import EFFECTS, effects_in_source


def test_each_side_effect_has_a_case() -> None:
    """A function that is new here needs one, in `tests/support/effects.py` and in a test."""
    assert effects_in_source() == set(EFFECTS)
