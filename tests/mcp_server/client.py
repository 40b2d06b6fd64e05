"""A parent: the SDK's own client, with our server as a real process."""

import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
from mcp import types
from mcp.client.session import ClientSession
from mcp.client.stdio import StdioServerParameters, stdio_client

from abreast.places import Places

COMMAND = [sys.executable, "-m", "abreast", "mcp"]
CODEX = "codex-mcp-client"


def environ_of(places: Places, **more: str) -> dict[str, str]:
    """The environment of a server whose state lies in `places`."""
    state = {"ABREAST_STATE_DIR": str(places.state), "ABREAST_DB": places.database}
    return {**os.environ, **state, **more}


@asynccontextmanager
async def connected(
    folder: Path, environ: dict[str, str], *, name: str = CODEX, stderr: Path | None = None
) -> AsyncIterator[ClientSession]:
    """A client called `name` at work in `folder`, past the handshake."""
    server = StdioServerParameters(command=COMMAND[0], args=COMMAND[1:], env=environ, cwd=folder)
    said = stderr or folder.parent / "mcp-stderr.txt"
    me = types.Implementation(name=name, version="1")
    with said.open("w") as errors:
        async with (
            stdio_client(server, errors) as (reading, writing),
            ClientSession(reading, writing, client_info=me) as session,
        ):
            await session.initialize()
            yield session


def server_processes() -> list[psutil.Process]:
    """The servers that tests of this process have started."""
    return [p for p in psutil.Process().children() if p.cmdline()[1:] == COMMAND[1:]]


async def call(session: ClientSession, tool: str, /, **given: Any) -> str:
    """The text of a call that is answered."""
    answer = await session.call_tool(tool, given)
    text = text_of(answer)
    assert not answer.is_error, text
    return text


async def refused(session: ClientSession, tool: str, /, **given: Any) -> str:
    """The text of a call that could not even be asked."""
    answer = await session.call_tool(tool, given)
    assert answer.is_error, answer
    return text_of(answer)


def text_of(answer: types.CallToolResult) -> str:
    assert answer.structured_content is None
    [content] = answer.content
    assert isinstance(content, types.TextContent)
    return content.text


def fenced(text: str) -> list[str]:
    """What stands between the marks of fences, in order."""
    found = re.findall(r"<(child-[0-9a-f]{12})>\n(.*?)\n</\1>", text, re.DOTALL)
    return [inner for _, inner in found]


def name_in(text: str) -> str:
    """The child that a result tells of."""
    found = re.search(r"\b([\w-]+/\d+)\b", text)
    assert found, text
    return found[1]
