"""The MCP server of the SDK, with our wire as transport; each tool call calls `abreast.api`.

Not `abreast.aio`, which imports what every call of the library needs.
"""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import anyio
from mcp import types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server

import abreast
from abreast.agents import modelled
from abreast.api.answers import collect, more
from abreast.api.delegations import start_delegation, tell
from abreast.api.looking import find_run
from abreast.api.running import stop
from abreast.engine.client import collecting
from abreast.errors import AbreastError, NotFoundError
from abreast.mcp_server import arguments, result
from abreast.mcp_server.caller import Caller, caller_of, check_collect, check_stop, check_tell
from abreast.mcp_server.wire import Wire, narrate
from abreast.mcp_server.words import NAME
from abreast.model.session import Run, Session
from abreast.model.text import harmless
from abreast.places import find_places
from abreast.process import clock

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
    agent = arguments.choice_of(call.given, "agent", modelled())
    caller = call.caller
    return start_delegation(
        *contracts, agent=agent, parent=caller.parent, own=caller.own, repo=tree
    )


async def _stop(run: str) -> None:
    """Stop children that nobody waits for. A failure goes to standard error: there is no call."""
    try:
        await asyncio.to_thread(stop, run)
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
    name = arguments.text_of(call.given, "id")
    await asyncio.to_thread(check_collect, name, call.caller, _tree(call.caller))
    return await _wait(call, name)


async def _wait(call: ToolCall, name: str) -> str:
    """Wait as long as the client allows, and tell what there is then."""
    await asyncio.to_thread(collect, name)  # raises at once for what is not a delegation
    given_up = threading.Event()
    try:
        async with _signs_of_life(call) as seen:
            await asyncio.to_thread(
                collecting.wait,
                name,
                find_places(),
                timeout=call.caller.wait,
                given_up=given_up,
                progress=seen,
            )
    finally:
        given_up.set()
    return await _told(name)


async def _told(name: str) -> str:
    child = name.partition("@")[0]  # without an attempt
    run = await asyncio.to_thread(find_run, child.partition("/")[0])
    found = await asyncio.to_thread(collect, name)
    sessions = [one for one in run.sessions if child.partition("/")[2] in {"", one.task}]
    there = {one.id.partition("@")[0] for one in found}
    working = [one for one in sessions if one.id not in there]
    if len(sessions) > 1 and found:
        return result.delivered_many(found, working, run.id)
    return result.delivered(found[0]) if found else result.still(working, name)


async def _more(call: ToolCall) -> str:
    name = arguments.text_of(call.given, "id")
    await asyncio.to_thread(check_collect, name, call.caller, _tree(call.caller))
    page = await asyncio.to_thread(more, name, arguments.whole_of(call.given, "page", 2))
    return result.page_of(page, name)


async def _tell(call: ToolCall) -> str:
    name, text = arguments.text_of(call.given, "id"), arguments.text_of(call.given, "text")
    await asyncio.to_thread(check_tell, name, call.caller, _tree(call.caller))
    # Without a sender it would be taken for the user's word.
    told = await asyncio.to_thread(tell, name, text, sender=call.caller.parent or "another session")
    if told.heard:
        return f"{told.session} has received it {told.heard}"
    return f"{told.session} has not received it yet; it will receive it {told.waits_for}"


async def _cancel(call: ToolCall) -> str:
    name = arguments.text_of(call.given, "id")
    await asyncio.to_thread(collect, name)  # nothing but a delegation is stopped by a model
    await asyncio.to_thread(check_stop, name, call.caller, _tree(call.caller))
    await asyncio.to_thread(stop, name)
    return await _told(name)


@contextlib.asynccontextmanager
async def _signs_of_life(call: ToolCall) -> AsyncIterator[Callable[[Run], None]]:
    """Report progress while the block lasts; yields what is to be told of each change."""
    began, latest = clock.awake(), ""

    def seen(run: Run) -> None:
        nonlocal latest
        latest = ", ".join(map(_progress, run.sessions))

    async def report() -> None:
        while True:
            await asyncio.sleep(_EVERY)
            await call.progress(round(clock.awake() - began, 1), None, latest)

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


_THREADS = 64  # each call that waits for a child holds one
_ERROR = 1200  # characters of an error's message

Context = ServerRequestContext[Any, Any]


def speak(wire: Wire, instructions: str, tools: Sequence[dict[str, Any]]) -> None:
    """Serve on `wire` until it ends."""
    with asyncio.Runner() as runner:
        runner.run(_speak(wire, instructions, tools))


async def _speak(wire: Wire, instructions: str, tools: Sequence[dict[str, Any]]) -> None:
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(_THREADS))
    server = make_server(instructions, tools)
    given = cast("anyio.AsyncFile[str]", anyio.wrap_file(cast("Any", wire)))
    async with stdio_server(given, given) as (reading, writing):
        await server.run(reading, writing, server.create_initialization_options())


def make_server(instructions: str, tools: Sequence[dict[str, Any]]) -> Server[Any]:
    """Return the SDK's server with these tools; without any, each call is refused."""
    listed = types.ListToolsResult(tools=[types.Tool.model_validate(tool) for tool in tools])
    desk = Desk()

    async def list_tools(_: Context, _given: types.PaginatedRequestParams | None) -> Any:
        return listed

    async def call_tool(context: Context, given: types.CallToolRequestParams) -> Any:
        if given.name not in {tool["name"] for tool in tools}:
            return _result(f"there is no tool {given.name!r}", wrong=True)
        try:
            return _result(await desk.answer(_call(context, given)))
        except AbreastError as error:
            hint = f"\nhint: {error.hint}" if error.hint else ""
            return _result(f"{error.message[:_ERROR]}{hint}", wrong=True)

    async def cancelled(_: Context, given: types.CancelledNotificationParams) -> None:
        await desk.give_up(str(given.request_id))

    server: Server[Any] = Server(
        NAME,
        version=abreast.__version__,
        instructions=instructions or None,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )
    server.add_notification_handler(
        "notifications/cancelled", types.CancelledNotificationParams, cancelled
    )
    return server


def _call(context: Context, given: types.CallToolRequestParams) -> ToolCall:
    client = context.session.client_params
    return ToolCall(
        number=str(context.request_id),
        tool=given.name,
        given=given.arguments or {},
        client=client.client_info.name if client else "",
        progress=context.session.report_progress,
    )


def _result(text: str, *, wrong: bool = False) -> types.CallToolResult:
    content = types.TextContent(text=harmless(text))  # the one way to the client's model
    return types.CallToolResult(content=[content], is_error=wrong)
