"""The queues of agents: what a session's end means for the others of its agent, and who may start.

A usage limit parks the queue of its agent until it resets, a provider that does not answer for a
moment, ever longer. Then one session tries whether it goes on, and the others wait for its first
reply. A refused login and an empty account stop the queue until a person asks to go on.
"""

import random
from dataclasses import replace

from abreast.agents import agent_named
from abreast.engine.common.ending import Ending
from abreast.engine.working.admission_values import FREE, Admission, Applicant
from abreast.engine.working.schedule import not_started_after
from abreast.engine.working.session.context import Engine, SessionContext
from abreast.model.agent_queue import AgentQueue, QueueState
from abreast.model.cause import Cause
from abreast.model.hold import Hold, HoldKind, clock_time
from abreast.model.session import SessionKind, SessionState
from abreast.process import clock
from abreast.runner.job import Result
from abreast.store.rows import SessionUpdate

OUTAGE = (10.0, 600.0)
"""Seconds until a provider that did not answer is tried again: at first, and at most."""
UNSTATED = (300.0, 3600.0)
"""The same for a usage limit of which nobody has said when it resets."""
STATED = (2.0, 3600.0)
"""The same for one of which the CLI has said so, and which had not reset by then."""
LONGEST_STATED = 32 * 86_400.0
"""Seconds until the latest time that is believed: the longest limits are those of a month."""
_SOON = 60.0  # seconds: for so long a child's parent may wait for nothing

_KINDS = {
    Cause.SESSION_LIMIT: HoldKind.QUOTA,
    Cause.TRANSIENT: HoldKind.OUTAGE,
    Cause.BILLING: HoldKind.BILLING,
    Cause.AUTH: HoldKind.AUTH,
}
_STOPS = {Cause.AUTH, Cause.BILLING}


def backoff(times: int, bounds: tuple[float, float]) -> float:
    """Return the seconds to wait after having been sent away so many times in a row, doubling."""
    first, most = bounds
    return min(first * 2.0 ** min(times - 1, 32), most)


def waits_out(setbacks: int, minutes: float) -> bool:
    """Return whether a session that was sent away so often tries again, being given `minutes`."""
    return sum(backoff(n, OUTAGE) for n in range(1, setbacks + 1)) <= minutes * 60


def after_agent(context: SessionContext, result: Result, ending: Ending | None) -> Ending | None:
    """Tell the queue of its agent how a session's agent has ended; return the session's ending.

    One that was sent away, and may try again, is `parked`: it is queued for its next attempt.
    """
    cause = ending.cause if ending else Cause.NONE
    child = context.session.kind is SessionKind.CHILD
    if ending is None or cause not in _KINDS:
        if result.verdict.turns or result.progress.turns:
            answered(context)
        return ending
    if cause in _STOPS:
        _change(context, ending, result)
        return ending
    if cause is Cause.TRANSIENT:
        setbacks = context.session.setbacks + 1
        context.update(SessionUpdate(setbacks=setbacks))
        if child or not waits_out(setbacks, context.task.limits.outage_minutes):
            return ending
    _change(context, ending, result)
    return ending if child else replace(ending, parked=True)


def _change(context: SessionContext, ending: Ending, result: Result) -> None:
    """Park or stop the queue of the session's agent."""
    now, until, seed = clock.wall(), result.verdict.until, random.random()  # noqa: S311 (jitter)
    who = context.session.id

    def sent_away(queue: AgentQueue) -> AgentQueue:
        return send_away(queue, ending, until, now=now, seed=seed, session=who)

    before, after = context.engine.store.change_queue(context.session.agent, sent_away)
    if (before.state, before.until) == (after.state, after.until):
        return
    title = agent_named(context.session.agent).title
    if after.state is QueueState.STOPPED:
        context.add_event("queue", f"{title}'s queue is stopped: {after.reason}")
    elif after.until is not None:
        text = f"{title}'s queue is parked until {clock_time(after.until, after.since)}"
        context.add_event("queue", text)


def send_away(
    queue: AgentQueue,
    ending: Ending,
    stated: float | None,
    *,
    now: float,
    seed: float,
    session: str,
) -> AgentQueue:
    """Return the queue after a session has ended like this. Pure.

    `stated` is when the limit resets by the CLI's word; what is too far away counts as unsaid: it
    may be in milliseconds, or what a model wrote. Sessions that were at work together count
    as one. `seed`, from 0 to 1, spreads what nobody has stated over the later half of the wait.
    """
    told = AgentQueue(
        queue.agent, cause=ending.cause, reason=ending.reason, since=now, session=session
    )
    if ending.cause in _STOPS:
        return replace(told, state=QueueState.STOPPED, hint=ending.hint.partition("; then:")[0])
    if queue.state is QueueState.STOPPED:
        return queue
    together = queue.state is QueueState.PARKED and now < (queue.until or 0.0)
    tries = queue.tries if together else queue.tries + 1
    limit = ending.cause is Cause.SESSION_LIMIT
    if stated is not None and not stated <= now + LONGEST_STATED:  # NaN is no time either
        stated = None
    bounds = (UNSTATED if stated is None else STATED) if limit else OUTAGE
    wait = backoff(tries, bounds)
    # What is stated may have passed, if a clock or our reading of it is wrong.
    until = now + wait * (0.5 + 0.5 * seed) if stated is None else max(stated, now + wait)
    if together:
        until = max(until, queue.until or 0.0)
        if not limit and queue.cause is Cause.SESSION_LIMIT:
            return queue
    return replace(
        told,
        state=QueueState.PARKED,
        since=queue.since if together else now,
        until=until,
        stated=limit and stated is not None,
        tries=tries,
    )


def answered(context: SessionContext) -> None:
    """Open the queue of a session's agent, which has answered, if that was in doubt.

    Of a session that was at work before others were sent away it says nothing.
    """
    engine, agent = context.engine, context.session.agent
    found = engine.reader.agent_queue(agent)
    later = (context.session.started or 0.0) >= found.since
    if found.state is QueueState.PARKED and _is_due(found) and later:
        engine.store.change_queue(agent, lambda queue: _opened(queue, found))


def _is_due(queue: AgentQueue) -> bool:
    """Return whether a queue that was parked is to be tried."""
    return queue.state is QueueState.PARKED and clock.wall() >= (queue.until or 0.0)


def _opened(queue: AgentQueue, seen: AgentQueue) -> AgentQueue:
    return AgentQueue(queue.agent, since=clock.wall()) if queue == seen else queue


def agent_queue(asked: Applicant) -> Admission:
    """Return whether the queue of the agent lets sessions start; claim the try if it is due."""
    queue = asked.engine.reader.agent_queue(asked.agent)
    if queue.state is QueueState.OPEN:
        return FREE
    if _is_due(queue):
        return _try(asked, queue)
    hold, left = hold_of(queue), (queue.until or 0.0) - clock.wall()
    late = asked.child and left > _SOON
    return Admission(0, replace(hold, why=queue.reason, ends=True) if late else hold)


def _try(asked: Applicant, queue: AgentQueue) -> Admission:
    """Let one session of the run try whether an agent goes on, unless another one does."""
    title, change = agent_named(asked.agent).title, asked.engine.store.change_queue
    hold = Hold(_KINDS[queue.cause], f"one session tries {title} again", since=queue.since)
    who = asked.engine.reader.trying(queue.probe)
    if who is not None and who.turns:
        change(asked.agent, lambda now: _opened(now, queue))
        return FREE
    claimed = who is not None and queue.probe != asked.run
    if claimed or asked.waiting:  # for a place: it will try
        return Admission(0, hold)
    after = _claim(asked.engine, queue, asked.run)
    return Admission(int(after.probe == asked.run), hold)


def _claim(engine: Engine, queue: AgentQueue, name: str) -> AgentQueue:
    """Have a session try the agent, or a run with one of its sessions, unless others were first."""

    def claimed(now: AgentQueue) -> AgentQueue:
        return replace(now, probe=name) if now == queue else now

    return engine.store.change_queue(queue.agent, claimed)[1]


def hold_of(queue: AgentQueue) -> Hold:
    """Return why no session starts of an agent whose queue is parked or stopped."""
    title, kind = agent_named(queue.agent).title, _KINDS[queue.cause]
    if queue.state is QueueState.STOPPED:
        return Hold(kind, queue.reason, since=queue.since, hint=queue.hint, ends=True)
    limit = queue.cause is Cause.SESSION_LIMIT
    why = f"{title}'s usage limit" if limit else f"{title}'s provider does not answer"
    return Hold(kind, why, queue.until, queue.since)


def not_yet(context: SessionContext) -> Ending | None:
    """Return the ending of a session whose agent's queue was closed while it waited for a place.

    None: it may begin. It claims the try if that is due.
    """
    engine, session = context.engine, context.session
    queue = engine.reader.agent_queue(session.agent)
    if queue.state is QueueState.OPEN or queue.probe == session.id:
        return None
    free = queue.probe in {"", session.run} or engine.reader.trying(queue.probe) is None
    if _is_due(queue) and free and _claim(engine, queue, session.id).probe == session.id:
        return None
    hold = hold_of(queue)
    if hold.ends:
        return not_started(hold)
    return Ending(SessionState.FAILED, hold.words, parked=True)


_CAUSES = {kind: cause for cause, kind in _KINDS.items()} | {HoldKind.LIMIT: Cause.LIMIT}


def not_started(hold: Hold) -> Ending:
    """Return the ending of a session that does not start before a person has done something."""
    cause = _CAUSES.get(hold.kind, Cause.OTHER)
    return not_started_after(Ending(SessionState.BLOCKED, hold.why, hold.hint, cause))


def canary(asked: Applicant) -> Admission:
    """Have the first session of an agent in a run go ahead of its others, until its first reply.

    So the CLI refreshes its login and makes its files once. An agent without a CLI has neither.
    """
    agent = agent_named(asked.agent)
    if asked.proven or agent.certified is None:
        return FREE
    hold = Hold(HoldKind.CANARY, f"the first session of {agent.title} goes ahead")
    return Admission(0 if asked.running else 1, hold)
