"""When a usage limit resets is read from what CLIs tell people, in whatever time zone."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from abreast.agents.resets import reset_time

NOW = datetime(2026, 11, 30, 16, 0, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("said", "at"),
    [
        ("You've hit your session limit · resets 5pm (Europe/Berlin)", "2026-11-30 16:01:00"),
        ("You've hit your limit · resets 6:30pm", "2026-11-30 17:31:00"),
        ("You've hit your limit · resets Dec 3, 2am (America/New_York)", "2026-12-03 07:01:00"),
        ("… or try again at Dec 23rd, 2026 2:13 AM.", "2026-12-23 01:14:00"),
        ("… or try again at 2:13 AM.", "2026-12-01 01:14:00"),
        ("… or try again at 12:00 PM.", "2026-12-01 11:01:00"),
        ("resets Jan 2", "2027-01-01 23:00:00"),
        ("resets at 14:05", "2026-12-01 13:06:00"),
        ("Claude AI usage limit reached|1796000000", "2026-11-30 00:53:20"),
        ("Please retry in 39593.5s", "2026-12-01 02:59:53.500000"),
        ("Suggested retry after 13h24m10s.", "2026-12-01 05:24:10"),
        ("try again in 3 days 5 hours 12 minutes", "2026-12-03 21:12:00"),
    ],
)
def test_a_time_is_read_as_it_is_meant(set_zone: Callable[[str], None], said: str, at: str) -> None:
    set_zone("Europe/Berlin")
    found = reset_time(said, NOW)
    assert found is not None
    assert str(datetime.fromtimestamp(found, UTC)).removesuffix("+00:00") == at


def test_a_time_counts_as_that_of_its_own_day_when_the_clocks_change(
    set_zone: Callable[[str], None],
) -> None:
    set_zone("America/New_York")
    before = datetime(2026, 10, 31, 16, 0, tzinfo=UTC).timestamp()  # summer time ends that night
    found = reset_time("try again at Nov 1st, 2026 5:00 AM.", before)
    assert found == datetime(2026, 11, 1, 10, 1, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    "said",
    [
        "Try again later.",
        "You've hit your monthly spend limit.",
        "resets Feb 31, 2am",
        "resets 5 (Europe/Berlin)",
        "",
    ],
)
def test_what_states_no_time_has_none(said: str) -> None:
    assert reset_time(said, NOW) is None


def test_a_zone_that_nobody_knows_is_this_machines(set_zone: Callable[[str], None]) -> None:
    set_zone("UTC")
    assert reset_time("resets 5pm (Mars/Base)", NOW) == NOW + 3660


@pytest.mark.parametrize(
    "said",
    ["resets Jan 1 0001", "try again at Dec 31st, 9999 11:59 PM", "resets Feb 29, 3pm"],
)
def test_a_day_that_there_is_not_is_no_time(set_zone: Callable[[str], None], said: str) -> None:
    set_zone("UTC")
    assert reset_time(said, NOW) is None
