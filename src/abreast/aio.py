"""The async twins of `abreast.api`: the same calls, awaited; each blocks a thread, not the loop.

run = await abreast.aio.run(plan)
"""

import asyncio
import contextlib
import functools
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any, ParamSpec, TypeVar, Unpack

from abreast.api import (
    accounting,
    acting,
    answering,
    answers,
    checking,
    comparing,
    configuring,
    connecting,
    delegations,
    examining,
    handing_over,
    issues,
    looking,
    machine,
    noticing,
    recovering,
    rescuing,
    running,
    starting,
    terminals,
)
from abreast.api.delegations import Asking
from abreast.api.following import Progress, unseen
from abreast.engine.client import collecting, watching
from abreast.engine.reading import snapshots, story
from abreast.errors import AbreastError
from abreast.model.landing import LandOptions
from abreast.model.session import LandMode, LogEvent, Run
from abreast.model.snapshot import Snapshot
from abreast.model.task import Contract, Deliverable, Plan
from abreast.places import Places, find_places

P = ParamSpec("P")
R = TypeVar("R")


def _twin(call: Callable[P, R]) -> Callable[P, Coroutine[Any, Any, R]]:
    """Return what awaits a call of the library, in a thread; its callbacks are called from there.

    A thread cannot be cancelled: a call that is to end with its task is written out below.
    """

    @functools.wraps(call, assigned=("__name__", "__qualname__", "__doc__"))
    async def twin(*args: P.args, **kwargs: P.kwargs) -> R:
        return await asyncio.to_thread(call, *args, **kwargs)

    return twin


act = _twin(acting.act)
actions = _twin(acting.actions)
agent_environment = _twin(machine.agent_environment)
agents = _twin(machine.agents)
answer = _twin(answering.answer)
asked_settings = _twin(configuring.asked_settings)
attach = _twin(terminals.attach)
check = _twin(checking.check)
check_handoff = _twin(handing_over.check_handoff)
clean = _twin(running.clean)
clean_history = _twin(running.clean_history)
close_session = _twin(terminals.close_session)
conflicts = _twin(comparing.conflicts)
connect = _twin(connecting.connect)
contract = _twin(delegations.contract)
demo = _twin(running.demo)
diff = _twin(comparing.diff)
doctor = _twin(examining.doctor)
edit = _twin(terminals.edit)
estimate = _twin(delegations.estimate)
file_schema = _twin(configuring.file_schema)
find_issues = _twin(issues.find_issues)
find_run = _twin(looking.find_run)
find_session = _twin(looking.find_session)
handoff = _twin(handing_over.handoff)
handoffs = _twin(handing_over.handoffs)
hook_handoff = _twin(connecting.hook_handoff)
init = _twin(configuring.init)
kept_page = _twin(rescuing.kept_page)
kept_works = _twin(rescuing.kept_works)
ledger = _twin(accounting.ledger)
more = _twin(answers.more)
note_face = _twin(noticing.note_face)
notify = _twin(noticing.notify)
open_session = _twin(terminals.open_session)
plan_issues = _twin(issues.plan_issues)
propose = _twin(configuring.propose)
questions = _twin(answering.questions)
pull_requests = _twin(looking.pull_requests)
read_plan = _twin(starting.read_plan)
find_worktree = _twin(terminals.find_worktree)
forecast_landing = _twin(running.forecast_landing)
recover = _twin(recovering.recover)
restore_kept = _twin(rescuing.restore_kept)
status_line = _twin(noticing.status_line)
request_landing = _twin(running.request_landing)
request_undo = _twin(running.request_undo)
resume = _twin(running.resume)
retry = _twin(running.retry)
review = _twin(checking.review)
runs = _twin(looking.runs)
sessions = _twin(looking.sessions)
set_setting = _twin(configuring.set_setting)
settings = _twin(configuring.settings)
settings_page = _twin(configuring.settings_page)
show = _twin(comparing.show)
snapshot = _twin(looking.snapshot)
start = _twin(starting.start)
start_delegation = _twin(delegations.start_delegation)
stop = _twin(running.stop)
tell = _twin(delegations.tell)
trial = _twin(configuring.trial)
trust_settings = _twin(configuring.trust_settings)
write_advice = _twin(checking.write_advice)
write_handoff = _twin(handing_over.write_handoff)


async def wait(
    run: str,
    *,
    progress: Progress | None = None,
    timeout: float | None = None,  # noqa: ASYNC109 - the twin's own parameter
    places: Places | None = None,
) -> Run:
    """See `abreast.api.wait`; `progress` is called from another thread.

    Cancelling the task leaves the run alone.
    """
    with _given_up() as given_up:
        return await asyncio.to_thread(
            watching.wait, run, places or find_places(), progress or unseen, timeout, given_up
        )


async def wait_for_all(
    *, progress: Callable[[Snapshot], None] | None = None, places: Places | None = None
) -> Snapshot:
    """See `abreast.api.wait_for_all`; `progress` is called from another thread."""
    where = places or find_places()
    with _given_up() as given_up:
        return await asyncio.to_thread(watching.wait_for_all, where, progress or unseen, given_up)


async def run(plan: Plan, *, progress: Progress | None = None, places: Places | None = None) -> Run:
    """See `abreast.api.run`."""
    begun = await start(plan, places=places)
    return await wait(begun.id, progress=progress, places=places)


async def land(
    name: str,
    mode: LandMode = LandMode.MERGE,
    *,
    target: str = "",
    options: LandOptions | None = None,
    progress: Progress | None = None,
    places: Places | None = None,
) -> Run:
    """See `abreast.api.land`."""
    asked = await request_landing(name, mode, target=target, options=options, places=places)
    return await wait(asked.id, progress=progress, places=places)


async def undo(name: str, *, progress: Progress | None = None, places: Places | None = None) -> Run:
    """See `abreast.api.undo`."""
    asked = await request_undo(name, places=places)
    return await wait(asked.id, progress=progress, places=places)


async def logs(
    name: str, *, follow: bool = False, places: Places | None = None
) -> AsyncIterator[LogEvent]:
    """See `abreast.api.logs`."""
    where = places or find_places()
    session = await find_session(name, places=where)
    with _given_up() as given_up:
        async for event in _each(story.tell(session, where, follow=follow, given_up=given_up)):
            yield event


async def changes(
    since: str = "", *, run: str = "", every: float = 0.25, places: Places | None = None
) -> AsyncIterator[Snapshot]:
    """See `abreast.api.changes`."""
    where = places or find_places()
    name = (await find_run(run, places=where)).id if run else ""
    with _given_up() as given_up:
        found = snapshots.changes(where, name, since, every=every, given_up=given_up)
        async for snapshot in _each(found):
            yield snapshot


async def stream(
    name: str, *, follow: bool = False, places: Places | None = None
) -> AsyncIterator[bytes]:
    """See `abreast.api.stream`."""
    where = places or find_places()
    session = await find_session(name, places=where)
    with _given_up() as given_up:
        async for line in _each(story.stream(session, where, follow=follow, given_up=given_up)):
            yield line


async def delegate(
    question: str | Contract, *, progress: Progress | None = None, **asked: Unpack[Asking]
) -> Deliverable:
    """See `abreast.api.delegate`. Cancelling the task stops the child."""
    places = asked.get("places")
    starting = asyncio.create_task(start_delegation(question, **asked))
    try:
        begun = await asyncio.shield(starting)
        return (await collect(begun.id, wait=True, progress=progress, places=places))[0]
    except asyncio.CancelledError:
        with contextlib.suppress(AbreastError):  # it has not begun, or has ended by itself
            # The thread that starts it goes on: whatever it has begun must be known to be stopped.
            begun = await starting
            await asyncio.shield(stop(begun.id, places=places))
        raise


async def collect(
    name: str,
    *,
    wait: bool = False,
    timeout: float | None = None,  # noqa: ASYNC109 - the twin's own parameter
    progress: Progress | None = None,
    places: Places | None = None,
) -> list[Deliverable]:
    """See `abreast.api.collect`. Cancelling the task leaves the children alone."""
    where = places or find_places()
    if wait:
        await _collected(name, where)  # raises at once for what is not a delegation
        with _given_up() as given_up:
            await _awaited(
                name, where, timeout=timeout, given_up=given_up, progress=progress or unseen
            )
    return await _collected(name, where)


_collected, _awaited = _twin(collecting.collect), _twin(collecting.wait)


@contextlib.contextmanager
def _given_up() -> Iterator[threading.Event]:
    """Tell the thread that works for us when nobody waits for it any more."""
    event = threading.Event()
    try:
        yield event
    finally:
        event.set()


async def _each(iterator: Iterator[R]) -> AsyncIterator[R]:
    end = object()
    while True:
        item = await asyncio.to_thread(next, iterator, end)
        if item is end:
            return
        yield item  # type: ignore[misc]
