"""The server as a client meets it: what it costs, how it is refused, how it ends. No agent runs."""

import asyncio
import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from abreast import api
from abreast.errors import NotFoundError
from abreast.mcp_server.serve import VERSIONS
from abreast.mcp_server.words import TOOLS
from abreast.places import Places, find_places
from tests.mcp_server.client import COMMAND, connected, environ_of, refused
from tests.support.deadlines import SECONDS
from tests.support.repos import Repo

HELLO = {"capabilities": {}, "clientInfo": {"name": "someone", "version": "1"}}
LATEST = VERSIONS[-1]


@pytest.fixture
def places(repo: Repo) -> Places:
    return find_places()


def tokens(text: str) -> float:
    return len(text) / 4


def test_only_what_changes_nothing_says_that_it_only_reads():
    hints = {tool["name"]: tool.get("annotations", {}).get("readOnlyHint") for tool in TOOLS}
    assert {name for name, hint in hints.items() if hint} == {"collect", "more"}


@contextmanager
def raw(repo: Repo, places: Places, **more: str) -> Iterator["Raw"]:
    process = subprocess.Popen(
        COMMAND,
        cwd=repo.path,
        env=environ_of(places, **more),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        yield Raw(process)
        process.kill()


class Raw:
    """The server, line by line."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.process, self.stdin, self.stdout = process, process.stdin, process.stdout

    def say(self, line: str) -> None:
        self.stdin.write(f"{line}\n")
        self.stdin.flush()

    def ask(self, number: int, method: str, params: Any = None) -> dict[str, Any]:
        message = {"jsonrpc": "2.0", "id": number, "method": method}
        self.say(json.dumps(message | ({"params": params} if params else {})))
        answer = json.loads(self.stdout.readline())
        assert answer["id"] == number
        return answer

    def begin(self, version: str = LATEST) -> dict[str, Any]:
        answer = self.ask(0, "initialize", {"protocolVersion": version, **HELLO})
        self.say('{"jsonrpc":"2.0","method":"notifications/initialized"}')
        return answer["result"]

    def until_the_sdk_is_there(self) -> None:
        """A call is answered by nobody else."""
        assert self.ask(77, "tools/call", {"name": "more", "arguments": {}})["result"]["isError"]


def test_all_that_a_client_is_told_costs_less_than_600_tokens(repo: Repo, places: Places):
    with raw(repo, places) as server:
        told = server.begin()["instructions"]
        listed = server.ask(1, "tools/list")["result"]
    assert tokens(json.dumps(listed, separators=(",", ":"))) + tokens(told) < 600
    names = [tool["name"] for tool in listed["tools"]]
    assert names == ["delegate", "delegate_many", "collect", "more", "tell", "cancel"]


@pytest.mark.parametrize("version", VERSIONS)
def test_the_early_answers_are_those_of_the_sdk(repo: Repo, places: Places, version: str):
    with raw(repo, places) as early:
        greeting, listed = early.begin(version), early.ask(1, "tools/list")
        early.until_the_sdk_is_there()
        assert early.ask(2, "tools/list")["result"] == listed["result"]
        assert early.ask(3, "ping")["result"] == {}
    with raw(repo, places) as late:
        assert late.ask(9, "ping")["result"] == {}  # the SDK's, because it is no handshake
        assert late.begin(version) == greeting
    assert greeting["protocolVersion"] == version


def test_a_version_from_the_future_is_negotiated(repo: Repo, places: Places):
    with raw(repo, places) as server:
        assert server.begin("2099-01-01")["protocolVersion"] == LATEST
        assert server.ask(1, "tools/list")["result"]["tools"][0]["name"] == "delegate"


def test_noise_on_the_line_does_not_end_it(repo: Repo, places: Places):
    with raw(repo, places) as server:
        server.begin()
        for noise, code in (("this is not JSON", -32700), ("[]", -32600)):
            server.say(noise)
            answer = json.loads(server.stdout.readline())
            assert (answer["id"], answer["error"]["code"]) == (None, code)
        assert server.ask(1, "tools/list")["result"]["tools"]
        server.until_the_sdk_is_there()
        server.say("neither is this")
        assert json.loads(server.stdout.readline())["error"]["code"] == -32700
        assert server.ask(2, "ping")["result"] == {}


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize(
    ("end", "code"), [(None, 0), (signal.SIGTERM, 0), (signal.SIGINT, 130)], ids=str
)
def test_it_ends_when_it_is_told_to(
    repo: Repo, places: Places, late: bool, end: signal.Signals | None, code: int
):
    with raw(repo, places) as server:
        server.begin()
        if late:
            server.until_the_sdk_is_there()
        if end is None:
            server.stdin.close()
        else:
            server.process.send_signal(end)
        assert server.process.wait(SECONDS) == code
        assert server.process.stderr is not None
        assert server.process.stderr.read() == ""
        assert server.stdout.read() == ""


def test_a_client_that_never_says_a_word(repo: Repo, places: Places):
    done = subprocess.run(
        COMMAND,
        cwd=repo.path,
        env=environ_of(places),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not places.state.exists()


def test_a_child_gets_no_tools(repo: Repo, places: Places, tmp_path: Path):
    said = tmp_path / "said"

    async def child() -> None:
        environ = environ_of(places, ABREAST_DEPTH="1")
        async with connected(repo.path, environ, stderr=said) as session:
            assert (await session.list_tools()).tools == []
            assert session.instructions is None
            assert "no tool" in await refused(session, "delegate", question="What is this?")

    asyncio.run(child())
    assert said.read_text() == "abreast mcp: a child cannot delegate: it gets no tools\n"


ASKED = {"question": "What?"}
WRONG = [
    ("delegate", {}, "`question` must be a text"),
    ("delegate", {"question": " "}, "`question` must be a text"),
    ("delegate", ASKED | {"agent": "scripted"}, "`agent` is one of claude, codex, gemini"),
    ("delegate", ASKED | {"agent": "rm -rf"}, "`agent` is one of"),
    ("delegate", ASKED | {"shape": "text"}, "takes no 'shape'"),
    ("delegate", ASKED | {"returns": "poem"}, "there is no shape called 'poem'"),
    ("delegate", ASKED | {"returns": "{nope"}, "`returns` is not JSON"),
    ("delegate", ASKED | {"returns": {"type": "nonsense"}}, "is not a JSON Schema"),
    ("delegate", ASKED | {"returns": 7}, "name of a shape"),
    ("delegate", ASKED | {"limit_tokens": 0}, "`limit_tokens` must be a number above 0"),
    ("delegate", ASKED | {"limit_tokens": True}, "`limit_tokens` must be a number"),
    ("delegate", ASKED | {"turns": 1.5}, "`turns` must be a whole number"),
    ("delegate", ASKED | {"minutes": "soon"}, "`minutes` must be a number"),
    ("delegate", ASKED | {"isolation": "none"}, "`isolation` is one of context, worktree"),
    ("delegate", ASKED | {"scope": ["no/such/file"]}, "there is no no/such/file"),
    ("delegate", ASKED | {"scope": ["../.."]}, "is outside"),
    ("delegate", ASKED | {"scope": 3}, "`scope` must be a list of texts"),
    ("delegate", ASKED | {"constraints": [1]}, "`constraints` must be a list of texts"),
    ("delegate_many", {"questions": []}, "at least one question"),
    ("delegate_many", {"questions": [3]}, "each question is a text"),
    ("delegate_many", {"questions": [{"question": "a", "agent": "x"}]}, "takes no 'agent'"),
    ("delegate_many", {"questions": ["a", "b"], "limit_tokens": 1}, "too few for 2 answers"),
    ("delegate_many", {"questions": ["a"] * 21}, "21 questions in one call"),
    ("collect", {}, "`id` must be a text"),
    ("collect", {"id": "no-such-run"}, "no-such-run"),
    ("more", {"id": "no-such-run/1", "page": 2}, "no-such-run"),
    ("tell", {"id": "no-such-run/1", "text": "hey"}, "no-such-run"),
    ("cancel", {"id": "no-such-run"}, "no-such-run"),
    ("nested", {}, "there is no tool 'nested'"),
]


def test_what_cannot_be_asked_is_refused_in_words(repo: Repo, places: Places):
    async def ask_all() -> None:
        async with connected(repo.path, environ_of(places)) as session:
            for tool, given, why in WRONG:
                said = await refused(session, tool, **given)
                assert why in said, (tool, given)
                assert "Traceback" not in said

    asyncio.run(ask_all())
    with pytest.raises(NotFoundError):
        api.find_run(places=places)


def test_outside_a_repository_it_says_so(repo: Repo, places: Places, tmp_path: Path):
    bare = tmp_path / "bare" / "inner"
    bare.mkdir(parents=True)

    async def outside() -> str:
        async with connected(bare, environ_of(places)) as session:
            return await refused(session, "delegate", question="What is here?")

    assert "git" in asyncio.run(outside())
    assert list(bare.iterdir()) == []


def test_a_folder_that_has_gone_is_told(places: Places, tmp_path: Path):
    folder = tmp_path / "inner"
    folder.mkdir()

    async def gone() -> str:
        async with connected(folder, environ_of(places)) as session:
            folder.rmdir()
            return await refused(session, "delegate", question="What is here?")

    assert "is gone" in asyncio.run(gone())
