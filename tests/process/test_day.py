"""A day is from midnight to midnight of the zone that the machine is in."""

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from abreast.process.day import day_of
from tests.support.zones import set_zone  # noqa: F401 (a fixture)


def at(zone: str, *parts: int) -> float:
    return datetime(*parts, tzinfo=ZoneInfo(zone)).timestamp()  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("zone", "noon", "hours"),
    [
        ("Europe/Berlin", (2026, 11, 30, 12), 24),
        ("Europe/Berlin", (2026, 3, 29, 12), 23),
        ("Europe/Berlin", (2026, 10, 25, 12), 25),
        ("Asia/Kathmandu", (2026, 6, 1, 12), 24),  # at a quarter of an hour
        ("Africa/Cairo", (2026, 4, 24, 12), 23),  # there is no midnight: it begins at one
        ("Australia/Lord_Howe", (2026, 4, 5, 12), 24.5),
    ],
)
def test_a_day_has_its_own_hours(
    set_zone: Callable[[str], None],  # noqa: F811
    zone: str,
    noon: tuple[int, ...],
    hours: float,
) -> None:
    set_zone(zone)
    day = day_of(at(zone, *noon))
    assert (day.end - day.start) / 3600 == hours
    assert day.start % 900 == day.end % 900 == 0
    assert day_of(day.start) == day_of(day.end - 1) == day
    assert day_of(day.start - 1).end == day.start
    assert day_of(day.end).start == day.end


def test_another_zone_is_another_day(
    set_zone: Callable[[str], None],  # noqa: F811
) -> None:
    now = at("UTC", 2026, 11, 30, 23)
    set_zone("UTC")
    here = day_of(now)
    set_zone("Asia/Tokyo")
    there = day_of(now)
    assert there.start == at("Asia/Tokyo", 2026, 12, 1) > here.start
