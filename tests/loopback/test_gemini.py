"""The Gemini wire format, without any CLI."""

import json
from typing import Any

import pytest

from abreast.loopback.dialect import Reply, Request
from abreast.loopback.gemini import DIALECT
from abreast.model.moves import Call, Edit, Move, Read, Shell, Spend, Write

STREAM = "/v1beta/models/gemini-3.8-flash:streamGenerateContent"


def ask(path: str = STREAM, body: dict[str, Any] | None = None, method: str = "POST") -> Request:
    return Request(method, path, "alt=sse", {}, body or {})


def chunks(reply: Reply) -> list[dict[str, Any]]:
    sent = list(DIALECT.stream(ask(), reply))
    assert all(c.startswith(b"data: ") and c.endswith(b"\r\n\r\n") for c in sent)
    return [json.loads(c[6:]) for c in sent]


def parts(sent: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [part for chunk in sent for part in chunk["candidates"][0]["content"]["parts"]]


@pytest.mark.parametrize(
    "path",
    [
        STREAM,
        "/v1beta/models/gemini-3.5-flash-lite:generateContent",
        "/v1beta/models/x:countTokens",
        "/v1beta/models",
        "/v1beta1/publishers/google/models/gemini-3.8-flash:streamGenerateContent",
        "/v1beta1/projects/p/locations/l/publishers/google/models/m:generateContent",
    ],
)
def test_its_own_paths(path: str) -> None:
    assert DIALECT.recognises(ask(path))


@pytest.mark.parametrize("path", ["/", "/v1/models", "/v1/messages", "/v1/responses", "/v1beta"])
def test_not_the_paths_of_others(path: str) -> None:
    assert not DIALECT.recognises(ask(path))


def test_only_a_streamed_turn_is_a_turn() -> None:
    assert DIALECT.aside(ask()) is None
    router = DIALECT.aside(ask("/v1beta/models/lite:generateContent"))
    assert router is not None
    said = json.loads(router.body)
    choice = json.loads(said["candidates"][0]["content"]["parts"][0]["text"])
    assert choice["model_choice"] == "flash"
    assert choice["next_speaker"] == "user"
    assert said["usageMetadata"]["totalTokenCount"] == 0
    counted = DIALECT.aside(ask("/v1beta/models/m:countTokens", {"contents": ["x" * 400]}))
    assert counted is not None
    assert json.loads(counted.body)["totalTokens"] > 100
    listed = DIALECT.aside(ask("/v1beta/models", method="GET"))
    assert listed is not None
    assert listed.status == 200
    other = DIALECT.aside(ask("/v1beta/models/m:embedContent"))
    assert other is not None
    assert other.status == 404


def test_text_and_usage() -> None:
    sent = chunks(Reply("hello", spend=Spend(1000, 400, 50)))
    assert len(sent) >= 2
    assert "".join(part["text"] for part in parts(sent)) == "hello"
    assert [c["candidates"][0].get("finishReason") for c in sent] == [None, "STOP"]
    assert sent[-1]["usageMetadata"] == {
        "promptTokenCount": 1000,
        "cachedContentTokenCount": 400,
        "candidatesTokenCount": 40,
        "thoughtsTokenCount": 10,
        "totalTokenCount": 1050,
    }
    assert {c["modelVersion"] for c in sent} == {"gemini-3.8-flash"}


@pytest.mark.parametrize(
    ("move", "name", "arguments"),
    [
        (Write("a.txt", "A"), "write_file", {"file_path": "a.txt", "content": "A"}),
        (Read("a.txt"), "read_file", {"file_path": "a.txt"}),
        (Call("mcp_x_y", {"z": 1}), "mcp_x_y", {"z": 1}),
    ],
)
def test_moves_are_the_tools_of_the_cli(move: Move, name: str, arguments: dict[str, Any]) -> None:
    sent = chunks(Reply("on it", move))
    assert parts(sent)[1] == {"functionCall": {"name": name, "args": arguments}}


def test_edit_and_shell() -> None:
    edit = parts(chunks(Reply(call=Edit("a", "old", "new"))))[0]["functionCall"]
    assert edit["name"] == "replace"
    assert edit["args"].items() >= {"file_path": "a", "old_string": "old"}.items()
    shell = parts(chunks(Reply(call=Shell("make"))))[0]["functionCall"]
    assert (shell["name"], shell["args"]["command"]) == ("run_shell_command", "make")


def test_conversation() -> None:
    ok = {"functionResponse": {"name": "write_file", "response": {"output": "ok"}}}
    bad = {"functionResponse": {"name": "replace", "response": {"error": "denied"}}}
    odd = {"functionResponse": {"name": "x", "response": {"n": 1}}}
    body = {
        "contents": [
            {"role": "user", "parts": [{"text": "context"}, {"text": "task"}]},
            {"role": "model", "parts": [{"text": "hm", "thought": True}, {"text": "on it"}]},
            {"role": "user", "parts": [ok, bad, odd]},
        ]
    }
    said = [(m.role, m.text) for m in DIALECT.conversation(ask(body=body))]
    assert said == [
        ("user", "context"),
        ("user", "task"),
        ("assistant", "on it"),
        ("result", 'ok\ndenied\n{"n": 1}'),
    ]


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (400, "INVALID_ARGUMENT"),
        (401, "UNAUTHENTICATED"),
        (403, "PERMISSION_DENIED"),
        (500, "INTERNAL"),
        (503, "UNAVAILABLE"),
    ],
)
def test_errors_in_googles_shape(status: int, name: str) -> None:
    answer = DIALECT.error(status, "no", "")
    error = json.loads(answer.body)["error"]
    assert (answer.status, error["code"], error["status"]) == (status, status, name)
    assert error["message"] == "no"


def test_a_daily_quota_is_told_from_a_rate() -> None:
    daily = json.loads(DIALECT.error(429, "no", "quota").body)["error"]["details"][0]
    assert "PerDay" in daily["violations"][0]["quotaId"]
    rate = json.loads(DIALECT.error(429, "no", "rate").body)["error"]["details"][0]
    assert rate["retryDelay"] == "1s"
