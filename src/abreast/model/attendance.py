"""Who works on a run: a fact about processes, which its row in the database does not tell."""

from dataclasses import dataclass
from enum import StrEnum

from abreast.model.moment import Moment


class Attendance(StrEnum):
    """Who works on a run. In this order, where more than one does."""

    NOT_NEEDED = "not needed"  # it has ended, or is a person's own
    WORKER = "worker"  # a worker lives here, and does what there is to do
    AGENT = "agent"  # no worker; a job of it goes on under its runner, which starts one at its end
    NOBODY = "nobody"  # nothing will happen until somebody calls: `abreast watch`, `resume` …


@dataclass(frozen=True)
class Presence:
    """Who works on a run, and when something of it was last seen to live (Unix seconds).

    The latter only where nobody does: from then on its time does not count.
    """

    who: Attendance
    last: float | None = None

    def at(self, now: Moment) -> Moment:
        """Return up to when the run's time counts: now, or the last sign of life."""
        return now if self.last is None else Moment(self.last)
