"""What a session that was sent away makes of its agent's queue: pure."""

import math

import pytest

from abreast.engine.common.ending import Ending
from abreast.engine.working.agent_queues import OUTAGE, STATED, UNSTATED, send_away, waits_out
from abreast.model.agent_queue import AgentQueue, QueueState
from abreast.model.cause import Cause
from abreast.model.session import SessionState

NOW = 1_790_000_000.0
OPEN = AgentQueue("x")


def away(
    queue: AgentQueue, cause: Cause, stated: float | None = None, *, now: float = NOW
) -> AgentQueue:
    ending = Ending(SessionState.FAILED, "no", "log in", cause)
    return send_away(queue, ending, stated, now=now, seed=1.0, session="r/a")


def test_a_stated_reset_is_waited_for() -> None:
    queue = away(OPEN, Cause.SESSION_LIMIT, NOW + 3600)
    assert (queue.state, queue.until, queue.stated) == (QueueState.PARKED, NOW + 3600, True)
    assert (queue.session, queue.reason, queue.tries) == ("r/a", "no", 1)


@pytest.mark.parametrize(
    ("cause", "stated", "bounds"),
    [
        (Cause.SESSION_LIMIT, None, UNSTATED),
        (Cause.SESSION_LIMIT, NOW - 60, STATED),
        # In milliseconds, or made up: nobody waits for thousands of years.
        (Cause.SESSION_LIMIT, NOW * 1000, UNSTATED),
        (Cause.SESSION_LIMIT, math.inf, UNSTATED),
        (Cause.SESSION_LIMIT, math.nan, UNSTATED),
        (Cause.TRANSIENT, None, OUTAGE),
    ],
)
def test_pauses_double_up_to_a_bound(
    cause: Cause, stated: float | None, bounds: tuple[float, float]
) -> None:
    queue, now, waits = OPEN, NOW, list[float]()
    for _ in range(40):
        queue = away(queue, cause, stated, now=now)
        assert queue.until is not None
        waits.append(queue.until - now)
        now = queue.until
    assert waits[:3] == [bounds[0], 2 * bounds[0], 4 * bounds[0]]
    assert waits[-1] == bounds[1]


def test_half_of_a_pause_that_nobody_has_stated_is_chance() -> None:
    ending = Ending(SessionState.FAILED, "no", "", Cause.TRANSIENT)
    queue = send_away(OPEN, ending, None, now=NOW, seed=0.0, session="r/a")
    assert queue.until == NOW + OUTAGE[0] / 2


def test_sessions_that_were_at_work_together_count_once() -> None:
    first = away(OPEN, Cause.SESSION_LIMIT)
    second = away(first, Cause.SESSION_LIMIT, now=NOW + 1)
    assert (second.tries, second.since) == (1, NOW)
    assert second.until == NOW + 1 + UNSTATED[0]
    outage = away(first, Cause.TRANSIENT, now=NOW + 1)
    assert outage == first  # the limit says more
    stated = away(away(OPEN, Cause.TRANSIENT), Cause.SESSION_LIMIT, NOW + 900, now=NOW + 1)
    assert (stated.cause, stated.until) == (Cause.SESSION_LIMIT, NOW + 900)


def test_what_a_person_must_settle_stays_until_then() -> None:
    stopped = away(OPEN, Cause.AUTH)
    assert (stopped.state, stopped.hint, stopped.until) == (QueueState.STOPPED, "log in", None)
    assert away(stopped, Cause.SESSION_LIMIT, NOW + 9) == stopped
    assert away(away(OPEN, Cause.SESSION_LIMIT), Cause.BILLING).state is QueueState.STOPPED


@pytest.mark.parametrize(("minutes", "setbacks"), [(0, 0), (0.2, 1), (1, 2), (60, 10)])
def test_an_outage_is_waited_out_for_as_long_as_the_plan_says(
    minutes: float, setbacks: int
) -> None:
    assert sum(waits_out(n, minutes) for n in range(1, 100)) == setbacks
