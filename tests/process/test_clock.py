"""What is measured does not depend on what the clock on the wall shows."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abreast.model.moment import Moment
from abreast.process import clock

seconds = st.floats(0, 1e9).map(lambda value: round(value, 3))


@given(start=seconds, length=seconds, before=seconds, after=seconds)
def test_a_clock_that_is_set_changes_no_duration(
    start: float, length: float, before: float, after: float
) -> None:
    first = Moment(before, f"this-boot {start:.3f}")
    last = Moment(after, f"this-boot {start + length:.3f}")
    assert last.since(first) == pytest.approx(length, abs=0.002)


@given(before=seconds, after=seconds, ticks=st.sampled_from([("", ""), ("a 9.000", "b 3.000")]))
def test_over_a_restart_the_wall_tells_but_nothing_takes_less_than_no_time(
    before: float, after: float, ticks: tuple[str, str]
) -> None:
    then, now = ticks
    assert Moment(after, now).since(Moment(before, then)) == max(0.0, after - before)


def test_the_clocks_are_those_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    before = clock.now()
    monkeypatch.setattr(time, "time", lambda: before.wall - 7171)
    after = clock.now()
    assert after.wall == before.wall - 7171
    assert 0 <= after.since(before) < 60
    assert after.tick.partition(" ")[0] == clock.boot_id() != ""
