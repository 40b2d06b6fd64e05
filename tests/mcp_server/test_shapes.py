"""Whatever a client sends: each request gets one answer, and the server lives on."""

import json
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from mcp import types

from abreast.mcp_server.wire import Vetted, vet
from abreast.mcp_server.words import TOOLS
from abreast.places import find_places
from tests.mcp_server.client import COMMAND, environ_of
from tests.support.deadlines import SECONDS
from tests.support.repos import Repo

HUGE = 10**30 + 7  # stands for a number of 5,000 digits, which Python does not write
NAMES = sorted({name for tool in TOOLS for name in tool["inputSchema"]["properties"]})
TEXTS = st.text(st.characters(codec=None), max_size=12)  # halves of characters too
NUMBERS = st.integers() | st.floats() | st.sampled_from([10**30, HUGE, -(2**63)])
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
MESSAGES = VALUES | st.dictionaries(
    st.sampled_from(["jsonrpc", "id", "method", "params", "result", "error"]) | TEXTS,
    st.sampled_from(["2.0", "tools/call", "ping"]) | VALUES,
)
DEEP = "[" * 100_000
ODD = ["1e400", "NaN", "9" * 5000, '"\\ud800"', '{"\\udc80":"\\udc80"}', "[" * 150 + "]" * 150]


def dumped(value: Any) -> str:
    """JSON as clients write it, who know no limit to the digits of a number."""
    if isinstance(value, dict):
        inner = (f"{json.dumps(key)}:{dumped(one)}" for key, one in value.items())
        return "{" + ",".join(inner) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(dumped, value)) + "]"
    return "9" * 5000 if value == HUGE else json.dumps(value)


@given(MESSAGES)
@settings(max_examples=150)
@example({"jsonrpc": "2.0", "id": None, "method": "ping"})
@example({"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"x": HUGE}})
@example([{"jsonrpc": "2.0", "id": 1, "method": "ping"}, {"id": 2}, 3])
def test_what_is_passed_on_the_sdk_can_read_and_the_rest_is_answered(message: Any) -> None:
    found = vet(dumped(message) + "\n")
    each = message if isinstance(message, list) and message else [message]
    asking = [one for one in each if not isinstance(one, dict) or "id" in one]
    dropped = [one for one in asking if isinstance(one, dict) and _answers(one)]
    passed = [types.jsonrpc_message_adapter.validate_json(line) for line in found.passed]
    requests = [one for one in passed if isinstance(one, types.JSONRPCRequest)]
    replies = [json.loads(line) for line in found.replies]
    notes = [one for one in each if isinstance(one, dict) and "id" not in one and not _answers(one)]
    nameless = [one for one in notes if not isinstance(one.get("method"), str)]
    assert len(requests) + len(replies) == len(asking) - len(dropped) + len(nameless)
    assert all("\n" not in line[:-1] for line in (*found.passed, *found.replies))
    for reply in replies:
        assert reply["error"]["code"] in {-32600, -32602}
        assert reply["id"] is None or reply["id"] in [
            one.get("id") for one in each if isinstance(one, dict)
        ]


def _answers(message: dict[str, Any]) -> bool:
    return "method" not in message and bool({"result", "error"} & {*message})


@given(st.text() | st.binary().map(lambda line: line.decode("utf-8", "replace")))
def test_noise_is_answered_at_most_once(line: str) -> None:
    found = vet(line)
    assert len(found.passed) + len(found.replies) <= 1


@pytest.mark.parametrize(
    ("line", "number"),
    [
        (DEEP, None),
        (f'{{"jsonrpc":"2.0","id":"a 7","method":"x","params":{DEEP}', "a 7"),
        (f'{{"id":7,"method":"x","params":{DEEP}', 7),
        (f'{{"id":7.5,"method":"x","params":{DEEP}', None),
        (f'{{"id":7,"method":"x","params":{{"id":8,"x":{DEEP}', None),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_request_nested_beyond_measure_is_answered_by_its_id(line: str, number: object) -> None:
    [reply] = vet(line).replies
    told = json.loads(reply)
    assert (told["id"], told["error"]["code"]) == (number, -32700)


def test_an_empty_line_and_an_answer_are_nothing() -> None:
    assert vet("\n") == vet('{"jsonrpc":"2.0","id":1,"result":{}}\n') == Vetted()
    assert vet('\ufeff{"jsonrpc":"2.0","id":1,"method":"ping"}\n').passed


class Server:
    """A server by lines, whose answers are kept by their ids."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process, self.answers, self.asked = process, dict[object, Any](), 0
        self.times = Counter[object]()
        self._there = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            answer = json.loads(line)
            with self._there:
                self.answers[answer.get("id")] = answer
                self.times[answer.get("id")] += "id" in answer
                self._there.notify_all()

    def say(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line.encode("utf-8", "surrogatepass") + b"\n")
        self.process.stdin.flush()

    def ask(self, method: str, params: str) -> Any:
        """Return the answer to a request whose params are this JSON."""
        self.asked += 1
        number = f"r{self.asked}"
        self.say(f'{{"jsonrpc":"2.0","id":"{number}","method":"{method}","params":{params}}}')
        with self._there:
            answered = self._there.wait_for(lambda: number in self.answers, SECONDS)
        assert answered, (method, params[:500])
        return self.answers[number]


@pytest.fixture
def server(repo: Repo, tmp_path: Path) -> Iterator[Server]:
    with (tmp_path / "stderr.txt").open("wb") as errors:
        process = subprocess.Popen(
            COMMAND,
            cwd=repo.path,
            env=environ_of(find_places()),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
        with process:
            made = Server(process)
            hello = {"capabilities": {}, "clientInfo": {"name": "someone", "version": "1"}}
            made.ask("initialize", json.dumps({"protocolVersion": "2025-06-18", **hello}))
            made.say('{"jsonrpc":"2.0","method":"notifications/initialized"}')
            yield made
            process.kill()


def test_every_request_is_answered_once_whatever_is_in_it(server: Server) -> None:
    # Nothing that is there is named, and nothing asked, so that no child starts.
    tools = st.sampled_from(["collect", "more", "tell", "cancel", "delegate"]) | TEXTS
    names = st.sampled_from([name for name in NAMES if name != "question"]) | TEXTS
    given_ = st.dictionaries(names, VALUES, max_size=5) | VALUES
    calls = st.fixed_dictionaries(
        {}, optional={"name": tools, "arguments": given_, "_meta": VALUES}
    )

    @given(st.sampled_from(["tools/call"] * 3 + ["tools/list", "ping", "no/such"]), calls | VALUES)
    @settings(max_examples=60)
    def fuzz(method: str, params: Any) -> None:
        assert {"result", "error"} & {*server.ask(method, dumped(params))}

    fuzz()
    for value in ODD:
        server.ask("tools/call", f'{{"name":"more","arguments":{{"id":{value},"page":{value}}}}}')
    server.say(DEEP)
    for line in ("\ud800", "[]", '{"method":3}', '[{"jsonrpc":"2.0","id":"b","method":"ping"}]'):
        server.say(line)
    many = json.dumps({"name": "delegate_many", "arguments": {"questions": ["a"] * 10_000}})
    refused = server.ask("tools/call", many)["result"]
    assert refused["isError"]
    assert "10,000 questions in one call" in refused["content"][0]["text"]
    assert server.ask("ping", "{}")["result"] == {}
    assert "b" in server.answers
    assert server.process.poll() is None
    assert {number: n for number, n in server.times.items() if number and n != 1} == {}
