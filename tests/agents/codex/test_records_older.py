"""Rollouts as older versions of Codex wrote them, and what shell commands are for."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from abreast.agents.codex.records import (
    Spending,
    read,
)
from abreast.agents.codex.records_lines import sort_command
from abreast.model.transcript import (
    Begun,
    ToolKind,
)
from tests.agents.codex.reading import (
    ANY,
    META,
    MISSING,
    NAMES,
    counts,
    fast,
    files,
    older,
    once,
    record,
    slow,
    stated,
    wire,
)
from tests.support.transcripts import lines_of


@pytest.mark.parametrize("name", sorted({*NAMES} - {"killed", "revived", "forked"}))
def test_running_totals_tell_the_same(name: str) -> None:
    found = once(spent for path in files(name) for spent in fast(older(lines_of(path))))
    assert counts(found) == stated(wire(name))


def test_running_totals_miss_what_they_were_killed_before() -> None:
    (path,) = files("killed")
    assert counts(fast(older(lines_of(path)))) == stated(wire("killed")[:1])


def test_a_fork_that_copied_its_history_is_counted_once() -> None:
    first, second, third, _ = files("forked")

    def own(path: Path) -> list[bytes]:
        """Each began when the one before had ended, and a model takes its time to answer."""
        lines = [re.sub(rb'"history_base":\{[^}]*\},', b"", x) for x in older(lines_of(path))]
        hour = 18 + 2 * (first, second, third).index(path)
        hours = [b"T%d:" % hour, *[b"T%d:" % (hour + 1)] * len(lines)]
        return [re.sub(rb"T\d\d:", h, x, count=1) for h, x in zip(hours, lines, strict=False)]

    fork = [own(second)[0], *own(first), *own(second)[1:]]
    again = [own(third)[0], *fork, *own(third)[1:]]
    every = [own(first), fork, again]
    spending = [Spending(ANY) for _ in every]
    found = [spent for one, by in zip(every, spending, strict=True) for spent in fast(one, by)]
    assert counts(once(found)) == stated(wire("forked"))
    assert [by.warnings for by in spending] == [[], [], []]
    # Also where the copies were written at another time, which they were.
    later = [re.sub(rb'"timestamp":"2026', b'"timestamp":"2027', line) for line in again]
    assert counts(once([*found, *fast(later)])) == stated(wire("forked"))
    # A fork of a fork without the head of the first, and before the copied heads.
    assert counts(once([*found[:2], *fast([fork[0], *own(second)[1:]])])) == stated(
        [o for o in wire("forked") if o["session"] != read(third).session]
    )
    # Where no head was copied, the fork still names its origin.
    bare = [own(second)[0], *own(first)[1:], *own(second)[1:]]
    assert counts(once([*fast(own(first)), *fast(bare)])) == stated(
        [o for o in wire("forked") if o["session"] != read(third).session]
    )
    begun = [event for event in slow(again) if isinstance(event, Begun)]
    assert [one.session for one in begun] == [read(third).session]


def test_a_session_that_goes_on_in_a_newer_version() -> None:
    (path,) = files("resumed")
    given = lines_of(path)
    half = next(n for n, line in enumerate(given) if b'"task_complete"' in line)
    both = older(given[:half]) + given[half:]
    spending = Spending(path)
    assert counts(fast(both, spending)) == stated(wire("resumed"))
    assert spending.warnings == []


def count(total: Sequence[int], last: Sequence[int] | None) -> bytes:
    names = ("input_tokens", "cached_input_tokens", "output_tokens")
    info = {"total_token_usage": dict(zip(names, total, strict=True))}
    if last is not None:
        info["last_token_usage"] = dict(zip(names, last, strict=True))
    return record("event_msg", {"type": "token_count", "info": info})


@pytest.mark.parametrize(
    ("totals", "found", "warnings"),
    [
        # The same total again is no request: a rate limit was looked up.
        ([((9, 1, 2), (9, 1, 2)), ((9, 1, 2), (9, 1, 2))], [(9, 1, 2)], []),
        # Without the last usage the difference tells.
        ([((9, 1, 2), None), ((19, 4, 3), None)], [(9, 1, 2), (10, 3, 1)], [MISSING]),
        # A line is missing.
        ([((9, 1, 2), (9, 1, 2)), ((30, 4, 9), (1, 0, 1))], [(9, 1, 2), (21, 3, 7)], [MISSING]),
        # The window was full: Codex sets the total to nothing.
        (
            [((9, 1, 2), (9, 1, 2)), ((0, 0, 0), (0, 0, 0)), ((5, 0, 1), (5, 0, 1))],
            [(9, 1, 2), (5, 0, 1)],
            [],
        ),
        (
            [((9, 1, 2), (9, 1, 2)), ((5, 0, 1), (3, 0, 1))],
            [(9, 1, 2), (3, 0, 1)],
            ["its running total went down"],
        ),
    ],
)
def test_running_totals(totals: Any, found: Any, warnings: list[str]) -> None:
    spending = Spending(ANY)
    spent = fast([META, *(count(*one) for one in totals)], spending)
    assert [(s.input_tokens, s.cached_tokens, s.output_tokens) for s in spent] == found
    assert [w for w in spending.warnings if w in warnings] == warnings
    assert len({s.id for s in spent}) == len(found)


def test_what_two_records_tell_is_said_once() -> None:
    item = {"type": "AgentMessage", "content": [{"type": "Text", "text": "Fixed."}]}
    told = [
        record("event_msg", {"type": "agent_message", "message": "Fixed."}),
        record("event_msg", {"type": "item_completed", "item": item}),
    ]
    assert [said.text for said in slow(told)] == ["Fixed."]
    assert [said.text for said in slow(told[:1] * 2)] == ["Fixed."] * 2


def test_a_command_that_never_ran_has_failed() -> None:
    call = {"type": "function_call", "name": "exec_command", "call_id": "c"}
    output = {"type": "function_call_output", "call_id": "c", "output": "no such sandbox"}
    given = [
        record("response_item", {**call, "arguments": '{"cmd": "make"}'}),
        record("response_item", output),
    ]
    _, returned = slow(given)
    assert (returned.failed, returned.code) == (True, None)


@pytest.mark.parametrize(
    ("output", "failed"),
    [
        ('{"answers":{"port":{"answers":["8080"]}}}', False),
        ("request_user_input was cancelled before receiving a response", True),
        ("request_user_input is unavailable in Default mode", True),
    ],
)
def test_a_question_to_the_user(output: str, failed: bool) -> None:
    asked = json.dumps({"questions": [{"id": "port", "question": "Which port?"}, {}, 1]})
    call = {"type": "function_call", "name": "request_user_input", "call_id": "c"}
    answer = {"type": "function_call_output", "call_id": "c", "output": output}
    given = [
        record("response_item", {**call, "arguments": asked}),
        record("response_item", answer),
    ]
    called, returned = slow(given)
    assert (called.kind, called.subject) == (ToolKind.ASK, "Which port?")
    assert (returned.failed, returned.text) == (failed, output)


def test_an_older_record() -> None:
    output = json.dumps({"output": "boom\n", "metadata": {"exit_code": 2, "duration_seconds": 1}})
    arguments = json.dumps({"command": ["bash", "-lc", "make test"], "workdir": "/w"})
    call = {"type": "function_call", "name": "shell", "arguments": arguments, "call_id": "c"}
    ours = {"type": "function_call", "name": "mcp__abreast__delegate", "call_id": "d"}
    given = [
        META,
        record("event_msg", {"type": "user_message", "message": "fix it", "kind": "plain"}),
        record("response_item", {"type": "message", "role": "user", "content": []}),
        record("response_item", call),
        record("response_item", {"type": "function_call_output", "call_id": "c", "output": output}),
        record("response_item", {**ours, "arguments": '{"question": "where is it?"}'}),
        record("event_msg", {"type": "agent_message", "message": "Fixed."}),
        record("event_msg", {"type": "error", "message": "stream disconnected"}),
    ]
    begun, said, called, returned, asked, answer, broken = slow(given)
    assert (begun.session, begun.version) == ("s", "0.60.0")
    assert (said.by_user, said.text) == (True, "fix it")
    assert (called.kind, called.subject) == (ToolKind.SHELL, "make test")
    assert (returned.failed, returned.code) == (True, 2)
    assert (asked.kind, asked.subject) == (ToolKind.DELEGATE, "where is it?")
    assert (answer.by_user, answer.text) == (False, "Fixed.")
    assert broken.reason == "stream disconnected"


@pytest.mark.parametrize(
    ("command", "kind", "paths"),
    [
        ("cat a.py b.py", ToolKind.READ, ("a.py", "b.py")),
        ("cd src && sed -n '1,20p' app.py", ToolKind.READ, ("app.py",)),
        ("head -n 5 a.txt | nl", ToolKind.READ, ("a.txt",)),
        ("nl -ba 'a b.py' | sed -n '3,9p'", ToolKind.READ, ("a b.py",)),
        ("rg -n 'def main' | head -20", ToolKind.SEARCH, ()),
        ("git ls-files '*.py'", ToolKind.SEARCH, ()),
        ("ls -la; find . -name '*.py' 2>/dev/null", ToolKind.SEARCH, ()),
        ("cat a.txt > b.txt", ToolKind.SHELL, ()),
        ("cat a.txt | sh", ToolKind.SHELL, ()),
        ("sed -i s/a/b/ a.txt", ToolKind.SHELL, ()),
        ("find . -name '*.pyc' -delete", ToolKind.SHELL, ()),
        ("cat $(which make)", ToolKind.SHELL, ()),
        ("echo 'open", ToolKind.SHELL, ()),
        ("git commit -m 'cat it'", ToolKind.SHELL, ()),
        ("pytest -q && cat log", ToolKind.SHELL, ()),
        ("echo hi", ToolKind.SHELL, ()),
        ("", ToolKind.SHELL, ()),
        (
            (
                "apply_patch <<'EOF'\n*** Begin Patch\n*** Update File: a.py\n*** Move to: b.py\n"
                "*** Delete File: c.py\n*** End Patch\nEOF"
            ),
            ToolKind.WRITE,
            ("a.py", "b.py", "c.py"),
        ),
    ],
)
def test_what_commands_are_for(command: str, kind: ToolKind, paths: tuple[str, ...]) -> None:
    assert sort_command(command) == (kind, paths)
