"""The async twins of `abreast.api`: the same calls, awaited; each blocks a thread, not the loop.

run = await abreast.aio.run(plan)
"""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from abreast import api
from abreast.api import AgentInfo, Progress, Terminal
from abreast.contract.paging import Page
from abreast.errors import AbreastError
from abreast.model.connection import Confirm, Connection, Scope
from abreast.model.contract import Contract, Deliverable, Isolation, Profile
from abreast.model.economy import Estimate
from abreast.model.finding import Diagnosis
from abreast.model.handoff import TOKENS, Freshness, Handoff
from abreast.model.ledger import By, Ledger
from abreast.model.removal import Removal
from abreast.model.session import LogEvent, Run, Session
from abreast.model.states import LandMode
from abreast.model.task import AgentChoice, Plan
from abreast.places import Places, find_places

if TYPE_CHECKING:
    from abreast.engine.client.telling import Told

P = ParamSpec("P")
R = TypeVar("R")


async def _call(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    return await asyncio.to_thread(function, *args, **kwargs)


async def read_plan(
    source: Path | None,
    prompts: Sequence[str] = (),
    *,
    repo: Path | None = None,
    agent: str = "",
    model: str = "",
    verify: str = "",
    setup: str = "",
    base: str = "",
    land: LandMode | None = None,
    max_parallel: int = 0,
) -> tuple[Plan, list[str]]:
    """See `abreast.api.read_plan`."""
    return await _call(
        api.read_plan,
        source,
        prompts,
        repo=repo,
        agent=agent,
        model=model,
        verify=verify,
        setup=setup,
        base=base,
        land=land,
        max_parallel=max_parallel,
    )


async def start(plan: Plan, *, places: Places | None = None) -> Run:
    """See `abreast.api.start`."""
    return await _call(api.start, plan, places=places)


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
    from abreast.engine.client import watching

    with _given_up() as given_up:
        return await asyncio.to_thread(
            watching.wait, run, places or find_places(), progress or _unseen, timeout, given_up
        )


@contextlib.contextmanager
def _given_up() -> Iterator[threading.Event]:
    """Tell the thread that works for us when nobody waits for it any more."""
    event = threading.Event()
    try:
        yield event
    finally:
        event.set()


def _unseen(run: Run) -> None:
    """Take no notice."""


async def run(plan: Plan, *, progress: Progress | None = None, places: Places | None = None) -> Run:
    """See `abreast.api.run`."""
    begun = await start(plan, places=places)
    return await wait(begun.id, progress=progress, places=places)


async def runs(*, limit: int = 20, places: Places | None = None) -> list[Run]:
    """See `abreast.api.runs`."""
    return await _call(api.runs, limit=limit, places=places)


async def find_run(name: str = "", *, places: Places | None = None) -> Run:
    """See `abreast.api.find_run`."""
    return await _call(api.find_run, name, places=places)


async def sessions(run: str = "", *, places: Places | None = None) -> list[Session]:
    """See `abreast.api.sessions`."""
    return await _call(api.sessions, run, places=places)


async def find_session(name: str, *, places: Places | None = None) -> Session:
    """See `abreast.api.find_session`."""
    return await _call(api.find_session, name, places=places)


async def logs(
    name: str, *, follow: bool = False, places: Places | None = None
) -> AsyncIterator[LogEvent]:
    """See `abreast.api.logs`."""
    from abreast.engine.reading import story

    where = places or find_places()
    session = await find_session(name, places=where)
    with _given_up() as given_up:
        async for event in _each(story.tell(session, where, follow=follow, given_up=given_up)):
            yield event


async def stream(
    name: str, *, follow: bool = False, places: Places | None = None
) -> AsyncIterator[bytes]:
    """See `abreast.api.stream`."""
    from abreast.engine.reading import story

    where = places or find_places()
    session = await find_session(name, places=where)
    with _given_up() as given_up:
        async for line in _each(story.stream(session, where, follow=follow, given_up=given_up)):
            yield line


async def diff(
    name: str, *, stat: bool = False, binary: bool = False, places: Places | None = None
) -> str:
    """See `abreast.api.diff`."""
    return await _call(api.diff, name, stat=stat, binary=binary, places=places)


async def stop(name: str, *, places: Places | None = None) -> list[Session]:
    """See `abreast.api.stop`."""
    return await _call(api.stop, name, places=places)


async def resume(run: str, *, places: Places | None = None) -> Run:
    """See `abreast.api.resume`."""
    return await _call(api.resume, run, places=places)


async def retry(name: str, *, places: Places | None = None) -> Run:
    """See `abreast.api.retry`."""
    return await _call(api.retry, name, places=places)


async def attach(name: str, *, places: Places | None = None) -> Terminal:
    """See `abreast.api.attach`."""
    return await _call(api.attach, name, places=places)


async def open_session(
    name: str,
    agent: str = "claude",
    *,
    repo: Path | None = None,
    base: str = "HEAD",
    model: str = "",
    places: Places | None = None,
) -> Terminal:
    """See `abreast.api.open_session`."""
    return await _call(
        api.open_session, name, agent, repo=repo, base=base, model=model, places=places
    )


async def close_session(name: str, *, places: Places | None = None) -> Session:
    """See `abreast.api.close_session`."""
    return await _call(api.close_session, name, places=places)


async def request_landing(
    name: str,
    mode: LandMode = LandMode.MERGE,
    *,
    target: str = "",
    places: Places | None = None,
) -> Run:
    """See `abreast.api.request_landing`."""
    return await _call(api.request_landing, name, mode, target=target, places=places)


async def land(
    name: str,
    mode: LandMode = LandMode.MERGE,
    *,
    target: str = "",
    progress: Progress | None = None,
    places: Places | None = None,
) -> Run:
    """See `abreast.api.land`."""
    asked = await request_landing(name, mode, target=target, places=places)
    return await wait(asked.id, progress=progress, places=places)


async def clean(
    names: Sequence[str] = (),
    *,
    remove: bool = False,
    force: bool = False,
    places: Places | None = None,
) -> list[Removal]:
    """See `abreast.api.clean`."""
    return await _call(api.clean, names, remove=remove, force=force, places=places)


async def delegate(
    question: str | Contract,
    *,
    scope: Sequence[str] = (),
    returns: str | Mapping[str, Any] = "text",
    limit_tokens: int = 0,
    isolation: Isolation = Isolation.CONTEXT,
    agent: str | AgentChoice = "",
    model: str = "",
    profile: Profile | None = None,
    repo: Path | None = None,
    progress: Progress | None = None,
    places: Places | None = None,
) -> Deliverable:
    """See `abreast.api.delegate`. Cancelling the task stops the child."""
    starting = asyncio.create_task(
        start_delegation(
            question,
            scope=scope,
            returns=returns,
            limit_tokens=limit_tokens,
            isolation=isolation,
            agent=agent,
            model=model,
            profile=profile,
            repo=repo,
            places=places,
        )
    )
    try:
        begun = await asyncio.shield(starting)
        return (await collect(begun.id, wait=True, progress=progress, places=places))[0]
    except asyncio.CancelledError:
        with contextlib.suppress(AbreastError):  # it has not begun, or has ended by itself
            # The thread that starts it goes on: whatever it has begun must be known to be stopped.
            begun = await starting
            await asyncio.shield(stop(begun.id, places=places))
        raise


async def start_delegation(
    *questions: str | Contract,
    scope: Sequence[str] = (),
    returns: str | Mapping[str, Any] = "text",
    limit_tokens: int = 0,
    isolation: Isolation = Isolation.CONTEXT,
    agent: str | AgentChoice = "",
    model: str = "",
    profile: Profile | None = None,
    max_parallel: int = 0,
    parent: str = "",
    own: str = "",
    repo: Path | None = None,
    places: Places | None = None,
) -> Run:
    """See `abreast.api.start_delegation`."""
    return await _call(
        api.start_delegation,
        *questions,
        scope=scope,
        returns=returns,
        limit_tokens=limit_tokens,
        isolation=isolation,
        agent=agent,
        model=model,
        profile=profile,
        max_parallel=max_parallel,
        parent=parent,
        own=own,
        repo=repo,
        places=places,
    )


async def contract(question: str, *, repo: Path | None = None, **fields: Any) -> Contract:
    """See `abreast.api.contract`."""
    return await asyncio.to_thread(lambda: api.contract(question, repo=repo, **fields))


async def collect(
    name: str,
    *,
    wait: bool = False,
    timeout: float | None = None,  # noqa: ASYNC109 - the twin's own parameter
    progress: Progress | None = None,
    places: Places | None = None,
) -> list[Deliverable]:
    """See `abreast.api.collect`. Cancelling the task leaves the children alone."""
    from abreast.engine.client import collecting

    where = places or find_places()
    if wait:
        await _call(collecting.collect, name, where)  # raises at once for what is no delegation
        with _given_up() as given_up:
            await asyncio.to_thread(
                lambda: collecting.wait(
                    name, where, timeout=timeout, given_up=given_up, progress=progress or _unseen
                )
            )
    return await _call(collecting.collect, name, where)


async def more(name: str, page: int = 2, *, places: Places | None = None) -> Page:
    """See `abreast.api.more`."""
    return await _call(api.more, name, page, places=places)


async def estimate(
    question: str | Contract,
    *,
    scope: Sequence[str] = (),
    limit_tokens: int = 0,
    agent: str = "",
    profile: Profile | None = None,
    repo: Path | None = None,
    places: Places | None = None,
) -> tuple[str, Estimate]:
    """See `abreast.api.estimate`."""
    return await _call(
        api.estimate,
        question,
        scope=scope,
        limit_tokens=limit_tokens,
        agent=agent,
        profile=profile,
        repo=repo,
        places=places,
    )


async def tell(
    name: str,
    text: str,
    *,
    sender: str = "",
    patience: float = 10.0,
    places: Places | None = None,
) -> "Told":
    """See `abreast.api.tell`."""
    return await _call(api.tell, name, text, sender=sender, patience=patience, places=places)


async def ledger(
    *,
    since: str | float = "",
    by: By | str = By.DAY,
    environ: Mapping[str, str] | None = None,
    places: Places | None = None,
) -> Ledger:
    """See `abreast.api.ledger`."""
    return await _call(api.ledger, since=since, by=by, environ=environ, places=places)


async def connect(
    agent: str,
    *,
    scope: Scope | str = Scope.USER,
    remove: bool = False,
    repo: Path | None = None,
    confirm: Confirm | None = None,
    environ: Mapping[str, str] | None = None,
    places: Places | None = None,
) -> Connection:
    """See `abreast.api.connect`; `confirm` is called from another thread."""
    return await _call(
        api.connect,
        agent,
        scope=scope,
        remove=remove,
        repo=repo,
        confirm=confirm,
        environ=environ,
        places=places,
    )


async def handoff(
    source: str = "",
    *,
    tokens: int = TOKENS,
    polish: str = "",
    folder: Path | None = None,
    environ: Mapping[str, str] | None = None,
    places: Places | None = None,
) -> Handoff:
    """See `abreast.api.handoff`."""
    return await _call(
        api.handoff,
        source,
        tokens=tokens,
        polish=polish,
        folder=folder,
        environ=environ,
        places=places,
    )


async def handoffs(
    *,
    tokens: int = TOKENS,
    folder: Path | None = None,
    environ: Mapping[str, str] | None = None,
    places: Places | None = None,
) -> list[Handoff]:
    """See `abreast.api.handoffs`."""
    return await _call(api.handoffs, tokens=tokens, folder=folder, environ=environ, places=places)


async def write_handoff(found: Handoff, file: Path, *, force: bool = False) -> Path:
    """See `abreast.api.write_handoff`."""
    return await _call(api.write_handoff, found, file, force=force)


async def check_handoff(
    file: Path | None = None, *, folder: Path | None = None, places: Places | None = None
) -> Freshness:
    """See `abreast.api.check_handoff`."""
    return await _call(api.check_handoff, file, folder=folder, places=places)


async def hook_handoff(
    agent: str,
    *,
    remove: bool = False,
    confirm: Confirm | None = None,
    environ: Mapping[str, str] | None = None,
    places: Places | None = None,
) -> Connection:
    """See `abreast.api.hook_handoff`; `confirm` is called from another thread."""
    return await _call(
        api.hook_handoff,
        agent,
        remove=remove,
        confirm=confirm,
        environ=environ,
        places=places,
    )


async def doctor(
    *,
    since: float | None = None,
    repo: Path | None = None,
    environ: Mapping[str, str] | None = None,
    places: Places | None = None,
) -> Diagnosis:
    """See `abreast.api.doctor`."""
    return await _call(api.doctor, since=since, repo=repo, environ=environ, places=places)


async def agents(environ: Mapping[str, str] | None = None) -> list[AgentInfo]:
    """See `abreast.api.agents`."""
    return await _call(api.agents, environ)


async def demo(
    agent: str = "scripted", *, keep: bool = False, progress: Progress | None = None
) -> tuple[Run, Path]:
    """See `abreast.api.demo`."""
    return await _call(api.demo, agent, keep=keep, progress=progress)


async def _each(iterator: Iterator[R]) -> AsyncIterator[R]:
    end = object()
    while True:
        item = await asyncio.to_thread(next, iterator, end)
        if item is end:
            return
        yield item  # type: ignore[misc]
