"""The Responses wire format, without any CLI."""

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from abreast.loopback.dialect import Message, Reply, Request
from abreast.loopback.openai import DIALECT
from abreast.model.moves import Call, Edit, Move, Read, Shell, Spend, Write

PATH = "/openai/v1/responses"
PLAIN = [{"type": "function", "name": "exec_command"}, {"type": "custom", "name": "apply_patch"}]
SCRIPTED = {
    "type": "additional_tools",
    "tools": [{"type": "namespace", "name": "functions", "tools": [
        {"type": "custom", "name": "exec"}, {"type": "function", "name": "wait"}]}],
}  # fmt: skip


def ask(path: str = PATH, *, method: str = "POST", query: str = "", **body: Any) -> Request:
    return Request(method, path, query, {}, body)


def events(request: Request, reply: Reply) -> list[dict[str, Any]]:
    sent = []
    for chunk in DIALECT.stream(request, reply):
        head, data = chunk.decode().removesuffix("\n\n").split("\n")
        sent.append(json.loads(data.removeprefix("data: ")))
        assert head == f"event: {sent[-1]['type']}"
    return sent


def call(move: Move, *tools: dict[str, Any], **body: Any) -> dict[str, Any]:
    """The one tool call that a move is rendered as."""
    reply = Reply(call=move)
    (item,) = events(ask(tools=list(tools or PLAIN), **body), reply)[-1]["response"]["output"]
    return dict(item)


@pytest.mark.parametrize("path", [PATH, "/v1/responses", "/openai/v1/models"])
def test_its_own_paths(path: str) -> None:
    assert DIALECT.recognises(ask(path))


def test_a_model_list_is_its_own_when_codex_asks() -> None:
    assert DIALECT.recognises(ask("/v1/models", method="GET", query="client_version=0.169.0"))


@pytest.mark.parametrize("path", ["/", "/v1/models", "/v1/messages", "/v1beta/models", "/plain"])
def test_not_the_paths_of_others(path: str) -> None:
    assert not DIALECT.recognises(ask(path))


def test_only_a_post_is_a_turn() -> None:
    assert DIALECT.aside(ask()) is None
    models = DIALECT.aside(ask("/openai/v1/models", method="GET"))
    assert models is not None
    assert models.status == 200
    websocket = DIALECT.aside(ask(method="GET"))
    assert websocket is not None
    assert websocket.status == 426


def test_the_conversation_is_what_users_said_and_tools_returned() -> None:
    request = ask(
        input=[
            {"type": "message", "role": "developer", "content": [{"text": "be good"}]},
            {"type": "message", "role": "user", "content": [{"text": "one"}, {"text": "two"}]},
            {"type": "reasoning", "summary": []},
            {"type": "message", "role": "assistant", "content": [{"text": "so"}]},
            {"type": "function_call", "call_id": "1", "name": "exec_command"},
            {"type": "function_call_output", "call_id": "1", "output": "plain"},
            {"type": "custom_tool_call_output", "call_id": "2", "output": [{"text": "parts"}]},
            {"role": "user", "content": "bare"},
        ]
    )
    assert DIALECT.conversation(request) == [
        Message("user", "one\ntwo"),
        Message("assistant", "so"),
        Message("result", "plain"),
        Message("result", "parts"),
        Message("user", "bare"),
    ]
    assert DIALECT.conversation(ask(input="hello")) == [Message("user", "hello")]


def test_a_reply_streams_text_and_call_and_states_its_usage() -> None:
    spend = Spend(input_tokens=900, cached_tokens=300, output_tokens=40)
    reply = Reply("Look.", Shell("make"), spend, number=3, model="gpt-5.5")
    sent = events(ask(tools=PLAIN, input=["a", "b"]), reply)
    assert [e["type"].removeprefix("response.") for e in sent] == [
        "created",
        "output_item.added",
        "output_text.delta",
        "output_item.done",
        "output_item.added",
        "output_item.done",
        "completed",
    ]
    done = sent[-1]["response"]
    assert (done["status"], done["model"]) == ("completed", "gpt-5.5")
    assert done["usage"] == {
        "input_tokens": 900,
        "input_tokens_details": {"cached_tokens": 300},
        "output_tokens": 40,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 940,
    }
    said, called = done["output"]
    assert said["content"][0]["text"] == "Look."
    assert json.loads(called["arguments"]) == {"cmd": "make"}
    assert sent[4]["item"]["arguments"] == ""


def test_ids_are_unique_in_a_thread_that_plays_a_scenario_again() -> None:
    first = call(Shell("a"), input=["x"])
    again = call(Shell("a"), input=["x", "y", "z"])
    assert first["call_id"] != again["call_id"]
    assert first == call(Shell("a"), input=["x"])


def test_a_silent_reply_still_has_two_chunks() -> None:
    assert len(list(DIALECT.stream(ask(), Reply()))) == 2


def test_files_are_written_by_a_patch() -> None:
    made = call(Write("src/new.py", "a = 1\n\nb = 2\n"))
    assert (made["type"], made["name"]) == ("custom_tool_call", "apply_patch")
    assert made["input"] == (
        "*** Begin Patch\n*** Add File: src/new.py\n+a = 1\n+\n+b = 2\n*** End Patch\n"
    )
    changed = call(Edit("a.py", "x\ny\n", "z\n"))
    assert changed["input"] == (
        "*** Begin Patch\n*** Update File: a.py\n@@\n-x\n-y\n+z\n*** End Patch\n"
    )


def test_a_patch_is_an_argument_where_the_tool_is_a_function() -> None:
    item = call(Write("a", "1\n"), {"type": "function", "name": "apply_patch"})
    assert json.loads(item["arguments"])["input"].startswith("*** Begin Patch\n*** Add File: a\n")


@pytest.mark.parametrize(
    ("move", "tools", "after"),
    [
        (Write("new/it's.txt", "no end of line"), PLAIN, {"new/it's.txt": "no end of line"}),
        (Write("plain.txt", "by the shell\n"), PLAIN[:1], {"plain.txt": "by the shell\n"}),
        (Edit("a.txt", "mid", "with 'in'"), PLAIN, {"a.txt": "the with 'in'dle\nend\n"}),
    ],
)
def test_what_a_patch_cannot_do_the_shell_does(
    move: Move, tools: list[dict[str, Any]], after: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text("the middle\nend\n")
    item = call(move, *tools)
    assert item["name"] == "exec_command"
    command = json.loads(item["arguments"])["cmd"]
    subprocess.run(["sh", "-c", command], cwd=tmp_path, check=True)
    assert {name: (tmp_path / name).read_text() for name in after} == after


def test_an_edit_that_fits_twice_fails(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x x")
    command = json.loads(call(Edit("a.txt", "x", "y"))["arguments"])["cmd"]
    done = subprocess.run(
        ["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "occurs 2 times" in done.stderr
    assert (tmp_path / "a.txt").read_text() == "x x"


def test_reading_and_shell() -> None:
    assert json.loads(call(Read("a b.txt"))["arguments"]) == {"cmd": "cat -- 'a b.txt'"}
    assert json.loads(call(Shell("make -k"))["arguments"]) == {"cmd": "make -k"}


def test_newer_models_get_a_script() -> None:
    shell = call(Shell('echo "hi"'), {"type": "x"}, input=[SCRIPTED])
    assert (shell["type"], shell["name"]) == ("custom_tool_call", "exec")
    assert shell["input"] == 'text(await tools.exec_command({"cmd": "echo \\"hi\\""}));'
    patch = call(Write("a", "1\n"), {"type": "x"}, input=[SCRIPTED])
    assert patch["input"].startswith('text(await tools.apply_patch("*** Begin Patch\\n')


def test_a_call_is_rendered_as_it_is() -> None:
    item = call(Call("board.post", {"a": 1}))
    assert (item["type"], item["name"]) == ("function_call", "board.post")
    assert json.loads(item["arguments"]) == {"a": 1}
    free = call(Call("apply_patch", {"input": "*** Begin Patch"}))
    assert (free["type"], free["input"]) == ("custom_tool_call", "*** Begin Patch")


@pytest.mark.parametrize(
    ("status", "code", "kind", "reason"),
    [
        (400, "", "invalid_request_error", None),
        (401, "", "invalid_request_error", "invalid_api_key"),
        (429, "", "requests", "rate_limit_exceeded"),
        (429, "rate", "requests", "rate_limit_exceeded"),
        (429, "quota", "usage_limit_reached", "usage_limit_reached"),
        (429, "billing", "insufficient_quota", "insufficient_quota"),
        (500, "", "server_error", None),
        (503, "", "server_error", "server_is_overloaded"),
        (500, "overloaded", "server_error", "server_is_overloaded"),
    ],
)
def test_errors(status: int, code: str, kind: str, reason: str | None) -> None:
    answer = DIALECT.error(status, "why", code)
    error = json.loads(answer.body)["error"]
    assert answer.status == status
    assert (error["message"], error["type"], error["code"]) == ("why", kind, reason)
    assert ("resets_at" in error) is (code == "quota")
    assert error.get("resets_at", time.time() + 1) > time.time()


def test_a_deferred_tool_is_searched_for_and_called_by_its_namespace() -> None:
    search = call(Call("tool_search", {"query": "child"}))
    assert (search["type"], search["arguments"]) == ("tool_search_call", {"query": "child"})
    assert "name" not in search
    deferred = call(Call("mcp__abreast/delegate", {"question": "Why?"}))
    assert (deferred["namespace"], deferred["name"]) == ("mcp__abreast", "delegate")
    assert json.loads(deferred["arguments"]) == {"question": "Why?"}
    answered = ask(input=[{"type": "tool_search_output", "call_id": "c", "tools": []}])
    assert DIALECT.conversation(answered) == [Message("result", "")]
