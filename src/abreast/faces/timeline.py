"""When the sessions of a run waited, worked and landed: values to draw a time line from. Pure."""

from dataclasses import dataclass

from abreast.model.moment import Moment
from abreast.model.session import LandState, Run, Session

_TICKS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 43_200, 86_400)
_MOST_TICKS = 8


@dataclass(frozen=True)
class TimelineBar:
    """One session. `start` and `end` are seconds since the run began, None: it has not started.

    `landed` is when it came into its landing's state, where it has one that has ended.
    """

    session: Session
    start: float | None
    end: float | None
    landed: float | None = None


@dataclass(frozen=True)
class Timeline:
    """`seconds` is how long the whole lasts; `ticks` are seconds at which to draw a line."""

    seconds: float
    bars: tuple[TimelineBar, ...]
    ticks: tuple[int, ...]


def timeline(run: Run, now: Moment) -> Timeline:
    """Return the time line of a run as it stands; what goes on lasts until `now`."""
    began = run.began

    def at(moment: Moment | None) -> float | None:
        return None if moment is None else max(0.0, moment.since(began))

    bars = []
    for session in run.sessions:
        start = at(session.began)
        end = start if start is None else (at(session.over) if session.over else at(now))
        settled = session.landing not in {LandState.NONE, LandState.QUEUED}
        landed = at(session.since) if settled and session.moved is not None else None
        bars.append(TimelineBar(session, start, end, landed))
    ends = [one for bar in bars for one in (bar.end, bar.landed) if one is not None]
    seconds = max([*ends, 1.0])
    step = next((one for one in _TICKS if seconds / one <= _MOST_TICKS), 2 * 86_400)
    ticks = tuple(range(0, int(seconds) + 1, step))[: 2 * _MOST_TICKS]
    return Timeline(seconds, tuple(bars), ticks)
