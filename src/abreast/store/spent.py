"""What sessions have used together, as the database holds it: of a run, of a parent, of a day.

Each query returns rows of attempts: the session, the attempt, and its totals.
"""

from collections.abc import Iterable, Sequence
from functools import reduce
from operator import add
from typing import Any

from abreast.model.budget import Consumption

QUARTER = 900
"""Seconds: every zone's midnight is at a multiple of it."""
SPENT = ("turns", "tokens", "usd", "listed")

_EACH = "p.session_id, p.attempt"
_TOTALS = ", ".join(f"MAX(p.{name})" for name in SPENT)
_FROM = "FROM abreast_spending p JOIN abreast_sessions s ON s.id = p.session_id"
_OWN = "SELECT id FROM abreast_sessions WHERE run_id = ?"

OF_RUN = (
    f"SELECT {_EACH}, {_TOTALS} {_FROM} WHERE s.run_id = ? OR s.parent IN ({_OWN}) GROUP BY {_EACH}"
)
"""Those of a run's sessions and of their children; takes the run twice."""

OF_CHILDREN = (
    f"SELECT {_EACH}, {_TOTALS} {_FROM} WHERE s.parent = ? AND s.started >= ? GROUP BY {_EACH}"
)
"""Those of a session's children that were started at a time or later."""

_WITHIN = ", ".join(
    f"MAX(CASE WHEN p.quarter >= ? THEN p.{name} ELSE 0 END), "
    f"MAX(CASE WHEN p.quarter < ? THEN p.{name} ELSE 0 END)"
    for name in SPENT
)
OF_DAY = (
    f"SELECT {_EACH}, {_WITHIN} FROM abreast_spending p JOIN ("  # noqa: S608
    "SELECT DISTINCT session_id, attempt FROM abreast_spending WHERE quarter >= ? AND quarter < ?"
    f") d ON d.session_id = p.session_id AND d.attempt = p.attempt WHERE p.quarter < ? "
    f"GROUP BY {_EACH}"
)
"""Those of a day: each total by its end, and what it was before; see `day_parameters`."""


def day_parameters(first: int, last: int) -> tuple[int, ...]:
    """Return what `OF_DAY` takes for the quarters of an hour from `first` to before `last`."""
    return (first,) * 2 * len(SPENT) + (first, last, last)


Attempts = dict[tuple[str, int], Consumption]


def by_attempt(rows: Iterable[Sequence[Any]]) -> Attempts:
    """Return what each attempt has used."""
    return {(row[0], row[1]): Consumption(0.0, *row[2:]) for row in rows}


def within_day(rows: Iterable[Sequence[Any]]) -> Attempts:
    """Return what each attempt has used within the day that `OF_DAY` was asked for."""
    return {
        (row[0], row[1]): Consumption(0.0, *row[2::2]).beyond(Consumption(0.0, *row[3::2]))
        for row in rows
    }


def total(attempts: Attempts) -> Consumption:
    """Return what all of them have used together."""
    return reduce(add, attempts.values(), Consumption())
