"""The MCP server of the SDK, with our wire as its transport and our tools."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import anyio
from mcp import types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server

import abreast
from abreast.errors import AbreastError
from abreast.mcp_server.desk import Desk, ToolCall
from abreast.mcp_server.wire import Wire
from abreast.mcp_server.words import NAME
from abreast.model.text import harmless

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
