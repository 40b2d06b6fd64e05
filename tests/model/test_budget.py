"""What is told of a limit that is reached, and what is beyond one."""

import pytest

from abreast.model.budget import Budget, Consumption, reached

USED = Consumption(minutes=12.25, turns=30, tokens=104_512, usd=5.25, listed=1.2)


@pytest.mark.parametrize(
    ("budget", "words"),
    [
        (Budget(), ""),
        (Budget(minutes=12.3, turns=31, tokens=104_513, usd=5.26), ""),
        (Budget(minutes=10), "the run's limit of 10 minutes: 12.2 are used"),
        (Budget(turns=30), "the run's limit of 30 turns: 30 are used"),
        (Budget(tokens=100_000), "the run's limit of 100,000 tokens: 104,512 are used"),
        (
            Budget(usd=5),
            (
                "the run's limit of $5.00: $5.25 are spent, "
                "$1.20 of it by the price lists of 2026-11-01"
            ),
        ),
    ],
)
def test_it_says_which_limit_and_what_it_had_come_to(budget: Budget, words: str) -> None:
    assert reached(budget, USED, "the run's", prices="2026-11-01") == words


def test_what_a_cli_has_stated_is_no_estimate() -> None:
    told = reached(Budget(usd=0.01), Consumption(usd=0.0123), "the day's")
    assert told == "the day's limit of $0.0100: $0.0123 are spent"


def test_what_comes_just_to_a_limit_may_end_by_itself() -> None:
    assert not Budget(turns=30).passed_by(USED)
    assert Budget(turns=29).passed_by(USED)
    assert not Budget().passed_by(USED)


def test_spending_adds_up_and_never_falls_below_nothing() -> None:
    assert Consumption(24.5, 60, 209_024, 10.5, 2.4) == USED + USED
    assert USED.beyond(USED + USED) == Consumption()
