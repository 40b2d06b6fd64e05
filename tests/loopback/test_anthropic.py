"""The Anthropic wire format, without any CLI."""

import json
from typing import Any

import pytest

from abreast.loopback.anthropic import DIALECT
from abreast.loopback.dialect import Message, Reply, Request
from abreast.model.moves import Call, Edit, Move, Read, Say, Shell, Spend, Write

# As Claude Code 2.1.330 tells it: a message of its own, after the first prompt.
ENVIRONMENT = {
    "role": "system",
    "content": "# Environment\n - Primary working directory: /srv/tree\n - Platform: linux",
}


def user(*blocks: Any) -> dict[str, Any]:
    return {"role": "user", "content": list(blocks)}


def text(said: str) -> dict[str, Any]:
    return {"type": "text", "text": said}


def called(identity: str, name: str, **arguments: Any) -> dict[str, Any]:
    block = {"type": "tool_use", "id": identity, "name": name, "input": arguments}
    return {"role": "assistant", "content": [block]}


def result(identity: str, content: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": identity, "content": content}


def ask(*messages: Any, path: str = "/v1/messages", method: str = "POST", **more: Any) -> Request:
    body = {"model": "claude-x", "stream": True, "messages": list(messages), **more}
    return Request(method, path, "beta=true", {}, body)


def events(request: Request, reply: Reply) -> list[dict[str, Any]]:
    sent = [chunk.decode() for chunk in DIALECT.stream(request, reply)]
    assert all(chunk.endswith("\n\n") for chunk in sent)
    pairs = [chunk.strip().split("\ndata: ", 1) for chunk in sent]
    records = [json.loads(data) for _, data in pairs]
    assert [head for head, _ in pairs] == [f"event: {record['type']}" for record in records]
    return records


def tools(request: Request, reply: Reply) -> list[tuple[str, dict[str, Any]]]:
    records = events(request, reply)
    names = [r["content_block"]["name"] for r in records if r["type"] == "content_block_start"]
    inputs = [r["delta"]["partial_json"] for r in records if r["type"] == "content_block_delta"]
    return [(name, json.loads(raw)) for name, raw in zip(names, inputs, strict=True)]


def test_its_own_paths_and_not_those_of_others() -> None:
    assert DIALECT.recognises(ask())
    assert DIALECT.recognises(ask(path="/v1/messages/count_tokens"))
    assert DIALECT.recognises(ask(path="/", method="HEAD"))
    assert not DIALECT.recognises(ask(path="/v1/responses"))
    models = Request("GET", "/v1/models", "", {}, {})
    assert not DIALECT.recognises(models)
    versioned = Request("GET", "/v1/models", "", {"anthropic-version": "2023-06-01"}, {})
    assert DIALECT.recognises(versioned)


def test_what_is_no_turn_is_answered_aside() -> None:
    assert DIALECT.aside(ask()) is None
    head = DIALECT.aside(ask(path="/", method="HEAD"))
    assert head is not None
    assert head.status == 200
    counted = DIALECT.aside(ask(user(text("x" * 400)), path="/v1/messages/count_tokens"))
    assert counted is not None
    assert json.loads(counted.body)["input_tokens"] > 100
    whole = DIALECT.aside(ask(stream=False))
    assert whole is not None
    assert whole.status == 400


def test_conversation_leaves_out_what_the_cli_adds() -> None:
    said = DIALECT.conversation(
        ask(
            user(
                text("<system-reminder>\nscenario two\n</system-reminder>\n"),
                text("<system-reminder>a</system-reminder>do one"),
            ),
            ENVIRONMENT,
            called("t1", "Bash", command="true"),
            user(result("t1", [text("out")]), text("go on")),
            {"role": "assistant", "content": [text("Done.")]},
            {"role": "user", "content": "and again"},
        )
    )
    assert said == [
        Message("user", "do one"),
        Message("assistant", ""),
        Message("result", "out"),
        Message("user", "go on"),
        Message("assistant", "Done."),
        Message("user", "and again"),
    ]


def test_the_results_of_one_reply_are_one_message() -> None:
    said = DIALECT.conversation(ask(user(result("t1", "a"), result("t2", "b"))))
    assert said == [Message("result", "a\nb")]


def test_a_reply_ends_the_turn_and_states_its_usage() -> None:
    spend = Spend(input_tokens=1000, cached_tokens=400, output_tokens=7)
    records = events(ask(), Reply("Done.", spend=spend, number=3))
    start, *_, delta, stop = records
    assert start["message"]["model"] == "claude-x"
    assert start["message"]["usage"] == {
        "input_tokens": 600,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 400,
        "output_tokens": 1,
    }
    assert [r["delta"]["text"] for r in records if r["type"] == "content_block_delta"] == ["Done."]
    assert delta["delta"]["stop_reason"] == "end_turn"
    assert delta["usage"]["output_tokens"] == 7
    assert stop == {"type": "message_stop"}


@pytest.mark.parametrize(
    ("move", "tool", "arguments"),
    [
        (Write("a/b.txt", "hi"), "Write", {"file_path": "/srv/tree/a/b.txt", "content": "hi"}),
        (Write("/etc/x", "hi"), "Write", {"file_path": "/etc/x", "content": "hi"}),
        (Read("a.py"), "Read", {"file_path": "/srv/tree/a.py"}),
        (Call("mcp__x__y", {"z": 1}), "mcp__x__y", {"z": 1}),
    ],
)
def test_a_move_becomes_the_tool_of_the_cli(
    move: Move, tool: str, arguments: dict[str, Any]
) -> None:
    request = ask(user(text("go")), ENVIRONMENT)
    assert tools(request, Reply(call=move)) == [(tool, arguments)]
    assert events(request, Reply(call=move))[-2]["delta"]["stop_reason"] == "tool_use"


def test_a_shell_command_is_left_as_it_is() -> None:
    ((name, arguments),) = tools(ask(), Reply(call=Shell("echo 'a\nb'")))
    assert (name, arguments["command"]) == ("Bash", "echo 'a\nb'")


def test_an_edit_reads_the_file_first_once() -> None:
    edit = Edit("a.py", "1", "2")
    fresh = ask(user(text("go")), ENVIRONMENT)
    assert [name for name, _ in tools(fresh, Reply(call=edit))] == ["Read", "Edit"]
    read = ask(user(text("go")), ENVIRONMENT, called("t", "Read", file_path="/srv/tree/a.py"))
    ((name, arguments),) = tools(read, Reply(call=edit))
    assert name == "Edit"
    assert arguments == {"file_path": "/srv/tree/a.py", "old_string": "1", "new_string": "2"}


def test_the_working_directory_of_older_versions_is_in_the_system_prompt() -> None:
    request = ask(user(text("go")), system=[text("<env>\nWorking directory: /srv/old\n</env>")])
    ((_, arguments),) = tools(request, Reply(call=Read("x")))
    assert arguments["file_path"] == "/srv/old/x"


def test_ids_differ_between_replies_and_repeat_between_runs() -> None:
    def identity(request: Request, number: int) -> str:
        return str(events(request, Reply("x", number=number))[0]["message"]["id"])

    later = ask(user(text("go")), ENVIRONMENT)
    assert len({identity(ask(), 0), identity(ask(), 1), identity(later, 0)}) == 3
    assert identity(later, 0) == identity(later, 0)


def test_only_a_tool_move_can_be_called() -> None:
    with pytest.raises(TypeError, match="Say"):
        events(ask(), Reply(call=Say("x")))


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "", "invalid_request_error"),
        (401, "", "authentication_error"),
        (429, "rate", "rate_limit_error"),
        (500, "", "api_error"),
        (529, "", "overloaded_error"),
        (503, "overloaded", "overloaded_error"),
    ],
)
def test_errors_have_the_vendors_shape(status: int, code: str, kind: str) -> None:
    answer = DIALECT.error(status, "no", code)
    assert answer.status == status
    said = json.loads(answer.body)
    assert said["type"] == "error"
    assert said["error"] == {"type": kind, "message": "no"}


def test_no_credit_is_told_in_the_vendors_words() -> None:
    said = json.loads(DIALECT.error(400, "x", "quota").body)
    assert said["error"]["message"].startswith("Your credit balance is too low")
