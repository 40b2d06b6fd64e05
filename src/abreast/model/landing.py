"""What somebody asks of a landing, and what it will come to."""

from dataclasses import dataclass

from abreast.model.session import LandOrder, LandState, LandTests


@dataclass(frozen=True)
class LandOptions:
    """How to land; what is not given (None) stays as the plan or an earlier request has it."""

    order: LandOrder | None = None
    batch: int | None = None
    tests: LandTests | None = None


@dataclass(frozen=True)
class QueuePlace:
    """A session's place in the queue of its target, and why it is there."""

    session: str
    why: str


@dataclass(frozen=True)
class LandingForecast:
    """What a landing will come to if every verify passes. `commits` are its subjects, in order.

    `conflicts` are the sessions that wait as well and do not merge with it. Those of one `batch`
    are tested together; it is 0 for one that is not tested.
    """

    session: str
    why: str
    outcome: LandState
    commits: tuple[str, ...] = ()
    reason: str = ""
    conflicts: tuple[str, ...] = ()
    batch: int = 0
