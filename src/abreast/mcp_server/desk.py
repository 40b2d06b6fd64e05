"""The tools: each call becomes calls of `abreast.aio`, and their result a text."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio

from abreast import aio
from abreast.api.delegations import start_delegation
from abreast.errors import AbreastError, NotFoundError
from abreast.mcp_server import arguments, result
from abreast.mcp_server.caller import Caller, caller_of, check_stop, check_tell
from abreast.mcp_server.wire import narrate
from abreast.model.session import Run, Session

_EVERY = 2.0  # seconds between signs of life

Report = Callable[[float, float | None, str | None], Awaitable[None]]


@dataclass
class ToolCall:
    """One call of a tool. `client` is the name that the client gave itself.

    `run` are the children that it started, if it did; `given_up` tells that nobody waits for it.
    """

    number: str
    tool: str
    given: Mapping[str, Any]
    client: str
    progress: Report
    run: str = ""
    given_up: bool = False
    caller: Caller = field(init=False)

    def __post_init__(self) -> None:
        self.caller = caller_of(self.client)


class Desk:
    """Answers the calls of one client."""

    def __init__(self) -> None:
        self._calls: dict[str, ToolCall] = {}

    async def answer(self, call: ToolCall) -> str:
        """Return the text for the client's model. Raises AbreastError for an invalid call."""
        arguments.check_names(call.tool, call.given)
        tools = {"collect": _collect, "more": _more, "tell": _tell, "cancel": _cancel}
        if call.tool in tools:
            return await tools[call.tool](call)
        self._calls[call.number] = call
        # A call that is given up stays known: `give_up` may only come when it has ended.
        text = await _delegate(call)
        del self._calls[call.number]
        return text

    async def give_up(self, number: str) -> None:
        """Stop the children of a call that its client has cancelled; what they did is kept."""
        call = self._calls.get(number)
        if call is None:
            return
        call.given_up = True
        if call.run:
            await _stop(call.run)


async def _delegate(call: ToolCall) -> str:
    # Whoever starts children must get to know them, or they could not be stopped.
    with anyio.CancelScope(shield=True):
        run = await asyncio.to_thread(_start, call)
        call.run = run.id
        if call.given_up:
            await _stop(run.id)
    return await _wait(call, run.id)


def _start(call: ToolCall) -> Run:
    tree = _tree(call.caller)
    contracts = arguments.contracts_of(call.tool, call.given, tree)
    agent = arguments.agent_of(call.given)
    caller = call.caller
    return start_delegation(
        *contracts, agent=agent, parent=caller.parent, own=caller.own, repo=tree
    )


async def _stop(run: str) -> None:
    """Stop children that nobody waits for. A failure goes to standard error: no call is left."""
    try:
        await aio.stop(run)
    except AbreastError as error:
        narrate(f"{run} could not be stopped: {error.message}")


def _tree(caller: Caller) -> Path:
    """Return the folder that the client works in: a linked worktree is a tree of its own."""
    try:
        here = Path.cwd()
    except FileNotFoundError:
        what = "the folder that this server was started in is gone"
        raise NotFoundError(what, hint="start the client again in a folder that exists") from None
    if caller.folder and not any((one / ".git").exists() for one in (here, *here.parents)):
        return Path(caller.folder)
    return here


async def _collect(call: ToolCall) -> str:
    return await _wait(call, arguments.text_of(call.given, "id"))


async def _wait(call: ToolCall, name: str) -> str:
    """Wait as long as the client allows, and tell what there is then."""
    async with _signs_of_life(call) as seen:
        await aio.collect(name, wait=True, timeout=call.caller.wait, progress=seen)
    return await _told(name)


async def _told(name: str) -> str:
    child = name.partition("@")[0]  # without an attempt
    run = await aio.find_run(child.partition("/")[0])
    found = await aio.collect(name)
    sessions = [one for one in run.sessions if child.partition("/")[2] in {"", one.task}]
    there = {one.id.partition("@")[0] for one in found}
    working = [one for one in sessions if one.id not in there]
    if len(sessions) > 1 and found:
        return result.delivered_many(found, working, run.id)
    return result.delivered(found[0]) if found else result.still(working, name)


async def _more(call: ToolCall) -> str:
    name = arguments.text_of(call.given, "id")
    page = await aio.more(name, arguments.whole_of(call.given, "page", 2))
    return result.page_of(page, name)


async def _tell(call: ToolCall) -> str:
    name, text = arguments.text_of(call.given, "id"), arguments.text_of(call.given, "text")
    await asyncio.to_thread(check_tell, name, call.caller, _tree(call.caller))
    # Without a sender it would be taken for the user's word.
    told = await aio.tell(name, text, sender=call.caller.parent or "another session")
    if told.heard:
        return f"{told.session} has received it {told.heard}"
    return f"{told.session} has not received it yet; it will receive it {told.waits_for}"


async def _cancel(call: ToolCall) -> str:
    name = arguments.text_of(call.given, "id")
    await aio.collect(name)  # nothing but a delegation is stopped by a model
    await asyncio.to_thread(check_stop, name, call.caller, _tree(call.caller))
    await aio.stop(name)
    return await _told(name)


@contextlib.asynccontextmanager
async def _signs_of_life(call: ToolCall) -> AsyncIterator[Callable[[Run], None]]:
    """Report progress while the block lasts; yields what is to be told of each change."""
    began, latest = time.monotonic(), ""

    def seen(run: Run) -> None:
        nonlocal latest
        latest = ", ".join(map(_progress, run.sessions))

    async def report() -> None:
        while True:
            await asyncio.sleep(_EVERY)
            await call.progress(round(time.monotonic() - began, 1), None, latest)

    reporting = asyncio.create_task(report())
    try:
        yield seen
    finally:
        reporting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await reporting


def _progress(session: Session) -> str:
    turns = f", {session.turns} turns" if session.turns else ""
    return f"{session.agent} {session.state}{turns}"
