"""Streams with any JSON in the place of any value: read to their end, and judged."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from abreast.agents.base import StreamReader
from abreast.agents.claude.stream import ClaudeReader
from abreast.agents.codex.stream import CodexReader
from abreast.agents.gemini.stream import GeminiReader
from tests.support.shapes import distinct, misfits, mutations

USED = {
    "input_tokens": 10,
    "cache_creation_input_tokens": 2,
    "cache_read_input_tokens": 3,
    "output_tokens": 1,
}
ADVICE = {"type": "advisor_message", "model": "claude-opus-5", **USED}


def claude(*content: dict[str, Any], **more: Any) -> dict[str, Any]:
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-opus-5"}
    usage = {**USED, "iterations": [ADVICE]}
    message |= {"content": list(content), "usage": usage, **more}
    return {"type": "assistant", "message": message, "parent_tool_use_id": None, "request_id": "r"}


def codex(stage: str, kind: str, **item: Any) -> dict[str, Any]:
    return {"type": f"item.{stage}", "item": {"id": "item_0", "type": kind, **item}}


def gemini(kind: str, **line: Any) -> dict[str, Any]:
    return {"type": kind, "timestamp": "2026-11-22T10:00:00.000Z", **line}


CALL = {"type": "tool_use", "id": "t", "name": "Bash", "input": {"command": "ls"}}
EDIT = {"type": "tool_use", "id": "e", "name": "Edit", "input": {"file_path": "/w/a.py"}}
BACK = {"type": "tool_result", "tool_use_id": "t", "content": "x", "is_error": True}
COUNTS = {"input_tokens": 9, "cached_input_tokens": 1, "output_tokens": 2}
STATS = {"total_tokens": 13, "input_tokens": 9, "output_tokens": 2, "cached": 1}
CHANGE = {"path": "/w/a.py", "kind": "update"}
MODEL = {"inputTokens": 9, "cacheReadInputTokens": 1, "outputTokens": 2, "costUSD": 0.1}
STREAMS: dict[str, list[dict[str, Any]]] = {
    "claude": [
        {"type": "system", "subtype": "init", "session_id": "s", "cwd": "/w"},
        {"type": "system", "subtype": "api_retry", "error": "x", "attempt": 1, "max_retries": 2},
        claude({"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "So."}),
        claude(CALL, EDIT),
        {"type": "user", "message": {"role": "user", "content": [BACK]}},
        {"type": "system", "subtype": "permission_denied", "tool_use_id": "t", "tool_name": "Bash"},
        {"type": "rate_limit_event", "rate_limit_info": {"status": "near", "rateLimitType": "x"}},
        {**claude({"type": "text", "text": "no"}, model="<synthetic>"), "error": "rate_limit"},
        {
            "type": "result",
            "subtype": "success",
            "is_error": False,
            "session_id": "s",
            "result": "Done.",
            "errors": ["x"],
            "api_error_status": 429,
            "permission_denials": [{"tool_name": "Write", "tool_use_id": "w", "tool_input": {}}],
            "modelUsage": {"claude-opus-5": MODEL},
            "structured_output": {"a": 1},
        },
    ],
    "codex": [
        {"type": "thread.started", "thread_id": "01a2035b-0000-7000-8000-000000000000"},
        {"type": "turn.started"},
        codex("completed", "reasoning", text="hm"),
        codex("started", "command_execution", command="/bin/bash -lc 'ls'", status="in_progress"),
        codex("completed", "command_execution", command="ls", aggregated_output="x: read-only file "
              "system", exit_code=3, status="failed"),
        codex("started", "file_change", changes=[CHANGE], status="in_progress"),
        codex("completed", "mcp_tool_call", server="b", tool="t", error={"message": "rejected by "
              "user"}, status="failed"),
        codex("completed", "web_search", query="x"),
        codex("updated", "todo_list", items=[{"text": "one", "completed": False}]),
        codex("completed", "error", message="odd"),
        codex("completed", "agent_message", text="Done."),
        {"type": "error", "message": "Reconnecting... 1/1"},
        {"type": "turn.failed", "error": {"message": "no"}},
        {"type": "turn.completed", "usage": COUNTS},
    ],
    "gemini": [
        gemini("init", session_id="s", model="pro"),
        gemini("message", role="assistant", content="So.", delta=True),
        gemini("tool_use", tool_name="write_file", tool_id="w", parameters={"file_path": "a.py"}),
        gemini("tool_result", tool_id="w", status="error", output="x", error={"type":
               "policy_violation", "message": "no"}),
        gemini("error", severity="warning", message="odd"),
        gemini("message", role="assistant", content="Done.", delta=True),
        gemini("result", status="error", error={"type": "x", "message": "no"}, stats=STATS),
        gemini("result", status="success", stats={**STATS, "models": {"gemini-pro": STATS}}),
    ],
}  # fmt: skip
READERS: dict[str, Callable[[Path], StreamReader]] = {
    "claude": ClaudeReader,
    "codex": CodexReader,
    "gemini": GeminiReader,
}


@pytest.mark.parametrize("agent", STREAMS)
def test_any_value_in_the_place_of_any_other(tmp_path: Path, agent: str) -> None:
    stream, count = STREAMS[agent], 0
    lines = [json.dumps(one).encode() for one in stream]
    for record in distinct(stream):
        place = stream.index(record)
        for changed in mutations(record):
            reader = READERS[agent](tmp_path)
            for line in (*lines[:place], json.dumps(changed).encode(), *lines[place + 1 :]):
                for event in reader.feed(line):
                    assert misfits(event) == [], changed
            assert misfits(reader.used()) == []
            for code in (0, 1, None):
                assert misfits(reader.verdict(code, "no")) == [], changed
            assert reader.skipped <= 1, changed
            count += 1
    assert count > 400


def test_a_turn_that_failed_has_failed_whatever_is_told_of_it(tmp_path: Path) -> None:
    for told in ({}, {"error": []}, {"error": {"message": {"text": "no"}}}):
        reader = CodexReader(tmp_path)
        [event] = reader.feed(json.dumps({"type": "turn.failed", **told}).encode())
        assert event.failed
        assert reader.verdict(1, "").reason == "it failed"
