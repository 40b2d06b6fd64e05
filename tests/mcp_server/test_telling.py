"""A parent says something to its running child, through the tools."""

import asyncio
import json
import re

import pytest
from mcp.client.session import ClientSession

from abreast.model.moves import Read, Say, Sleep
from tests.mcp_server.client import call, connected, environ_of, fenced, name_in, refused
from tests.support.deadlines import eventually
from tests.support.rig import rigged, told

pytestmark = pytest.mark.clis

QUESTION = "Where is the greeting made?"


def test_a_child_hears_its_parent(tmp_path):
    with rigged("claude", tmp_path) as rig:
        answer = Say(json.dumps({"text": "in src/app.py"}))
        rig.play("child", Sleep(2), Read("README.md"), answer, match=QUESTION)

        async def talk(session: ClientSession) -> tuple[str, str]:
            name = name_in(await call(session, "delegate", question=QUESTION))
            await asyncio.to_thread(eventually, lambda: rig.turns("child"), "it asks its model")
            heard = await call(session, "tell", id=name, text="Skip the tests.")
            text = ""
            while not fenced(text):
                text = await call(session, "collect", id=name)
            assert "has ended" in await refused(session, "tell", id=name, text="Too late.")
            return heard, text

        async def scene() -> tuple[str, str]:
            environ = environ_of(rig.stage.places, ABREAST_MCP_WAIT="0.5")
            async with connected(rig.repo.path, environ, name="claude-code") as session:
                return await talk(session)

        heard, text = asyncio.run(scene())
        received = "has received it after a tool call|will receive it at its next tool"
        assert re.search(received, heard)
        assert fenced(text) == ["in src/app.py"]
        hears = ["Skip the tests." in told(request) for request in rig.turns("child")]
        assert hears[0] is False
        assert hears[1:] == [True] * (len(hears) - 1)
        assert "Message from the session claude" in told(rig.turns("child")[1])
