"""The user's local day, as the machine's zone is now: it may have 23 hours, or 25."""

import time
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from datetime import time as clock_time


@dataclass(frozen=True)
class LocalDay:
    """From which Unix second on a day lasts, and up to which."""

    start: float
    end: float


def day_of(at: float) -> LocalDay:
    """Return the local day in which `at` lies, in Unix seconds.

    The zone is read anew: whoever travels has another midnight from then on.
    """
    time.tzset()
    today = datetime.fromtimestamp(at).astimezone().date()
    first, last = (_midnight(today + timedelta(days=n)) for n in (0, 1))
    return LocalDay(first, last)


def _midnight(day: date) -> float:
    # Where a change of clocks leaves midnight out, one reading is an hour before the day begins.
    midnight = datetime.combine(day, clock_time.min)
    readings = {midnight.replace(fold=fold).timestamp() for fold in (0, 1)}
    return min(one for one in readings if datetime.fromtimestamp(one).astimezone().date() >= day)
