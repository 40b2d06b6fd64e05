"""What Gemini CLI has not written for us: made-up lines, foreign folders, damage."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abreast.agents.gemini import records
from abreast.agents.gemini.records import MARKS, Events, Spending, read, roots
from abreast.agents.recorded import split
from abreast.model.transcript import (
    Begun,
    Called,
    Returned,
    Said,
    Spent,
    ToolKind,
)
from tests.agents.gemini.reading import (
    HEADER,
    NAMES,
    UNREAD,
    call,
    fast,
    files,
    said,
    slow,
)
from tests.recordings.record_gemini import FIXTURES
from tests.support.transcripts import finder, of

find = finder(records)


def outcome(line: bytes) -> tuple[bool, int | None]:
    (back,) = [event for event in slow([line]) if isinstance(event, Returned)]
    return back.failed, back.code


@pytest.mark.parametrize(
    ("output", "display", "expected"),
    [
        ("Output: ok\nProcess Group PGID: 7", "ok", (False, 0)),
        ("Output: ok", "ok", (False, 0)),
        ("Output: x\nExit Code: 3\nProcess Group PGID: 7", "x", (True, 3)),
        ("Output: Exit Code: 3\nProcess Group PGID: 7", "Exit Code: 3", (False, 0)),
        (
            "Output: a\nExit Code: 0\nExit Code: 4\nProcess Group PGID: 7",
            "a\nExit Code: 0",
            (True, 4),
        ),
        ("Output: x\nError: no\nExit Code: 127\nProcess Group PGID: 7", "x", (True, 127)),
        ("Output: x\nSignal: SIGKILL\nProcess Group PGID: 7", "x", (True, None)),
        ("Output: x\nExit Code: 1\nBackground PIDs: 8, 9\nProcess Group PGID: 7", "x", (True, 1)),
        ("Output too large. Showing…\nz\nExit Code: 2\nProcess Group PGID: 7", {}, (True, 2)),
        ("Command moved to background (PID: 7). Output hidden.", "", (False, None)),
        ("Command was cancelled by user before it could complete.", "", (True, None)),
        ("Blocked: command substitution is not allowed", "", (True, None)),
        ("<untrusted_context>\nOutput: x\nExit Code: 5\n</untrusted_context>", "x", (True, 5)),
        ("", None, (False, None)),
    ],
)
def test_exit_codes(output: str, display: Any, expected: tuple[bool, int | None]) -> None:
    line = call("run_shell_command", {"output": output}, resultDisplay=display)
    assert outcome(line) == expected


def test_other_ends_of_a_call() -> None:
    assert outcome(call("read_file", {"error": "no such file"})) == (True, None)
    assert outcome(call("run_shell_command", {"error": "denied"}, status="error")) == (True, None)
    assert outcome(call("glob", {"output": ""}, status="cancelled")) == (True, None)
    gave_up = "Subagent 'x' finished.\nTermination Reason: MAX_TURNS\nResult:\n"
    assert outcome(call("invoke_agent", {"output": gave_up})) == (True, None)
    assert outcome(call("invoke_agent", {"output": "Subagent 'x' failed. Error: y"})) == (
        True,
        None,
    )
    running = call("glob", {"output": ""}, status="executing")
    assert [type(event) for event in slow([running])] == [Called]
    assert [type(e) for e in slow([running, call("glob", {"output": ""})])] == [Called, Returned]


def test_calls_of_our_own_tools_delegate() -> None:
    args = {"questions": [{"question": "who?"}, {"question": "why?"}]}
    made = {"id": "c", "name": "mcp_abreast_delegate_many", "args": args}
    (event,) = slow([said("m", "gemini", toolCalls=[made])])
    assert (event.kind, event.subject) == (ToolKind.DELEGATE, "who?; why?")


def test_texts_are_cut() -> None:
    long = "a" * 5_000 + "b" * 5_000 + "c" * 5_000
    told, back = slow([said("u", "user", long), call("read_file", {"output": long})])[::2]
    assert told.text == "a" * 4_000 + "\n[… 7000 characters …]\n" + "c" * 4_000
    assert (back.size, back.text) == (15_000, told.text)


def test_what_is_typed_is_told_not_what_was_read_for_it() -> None:
    line = said("u", "user", [{"text": "see @a\n" + "A" * 99}], displayContent=[{"text": "see @a"}])
    assert slow([line])[0].text == "see @a"


def test_a_rewind_and_an_error() -> None:
    first, second = said("u1", "user", "one"), said("u2", "user", "two")
    events = Events(Path("x"))
    lines = [HEADER, first, said("g", "gemini", "yes"), second, b'{"$rewindTo":"u2"}\n']
    told = slow(lines, events)
    assert (events.skipped, list(events.left())) == (0, [])
    assert [type(event) for event in told] == [Begun, Said, Said, Said]
    assert slow([said("e", "error", "quota is gone")])[0].reason == "quota is gone"


def test_a_last_line_in_the_writing_is_normal() -> None:
    path = next(iter(files("plain")))
    lines = path.read_bytes().splitlines(keepends=True)
    torn = max(i for i, line in enumerate(lines) if MARKS[0] in line)
    for more, warnings in (([], []), ([lines[0]], [UNREAD])):
        events, spending = Events(path), Spending(path)
        given = [*lines[:torn], lines[torn][:-40], *more]
        slow(given, events)
        fast([*given, *[line for line in lines if more and MARKS[0] in line][:1]], spending)
        assert (events.skipped, events.warnings) == (1, warnings)
        assert (spending.skipped, spending.warnings) == (1, warnings)


def test_numbers_that_cannot_be_are_told() -> None:
    for bad in (-1, 1 << 60, "9", True, 1.5):
        line = said("m", "gemini", "x", tokens={"input": bad, "output": 5, "total": 5}, model=7)
        events, spending = Events(Path("x")), Spending(Path("x"))
        assert [e for e in slow([line], events) if isinstance(e, Spent)] == fast([line], spending)
        assert (
            events.warnings
            == spending.warnings
            == ["a request states a number of tokens that cannot be one"]
        )


@pytest.mark.parametrize(
    ("tokens", "counted"),
    [
        # What tools put into a prompt was read by the model, and what it thought was written.
        ({"input": 1000, "output": 100, "thoughts": 50, "tool": 200, "total": 1350}, (1200, 150)),
        ({"input": 1000, "output": 100, "thoughts": 50, "tool": 0, "total": 1150}, (1000, 150)),
        ({"input": 1000, "output": 100, "thoughts": 50, "tool": 200}, (1200, 150)),
        ({"input": 1000, "output": 100, "total": 1150}, (1000, 150)),
        ({"tool": 200, "total": 200}, (200, 0)),
    ],
)
def test_prompt_and_output_of_a_request(tokens: Any, counted: tuple[int, int]) -> None:
    line = said("m", "gemini", "x", tokens=tokens, model="a")
    for found in (fast([line]), [e for e in slow([line]) if isinstance(e, Spent)]):
        assert [(spent.input_tokens, spent.output_tokens) for spent in found] == [counted]


def test_an_id_whose_tokens_change_counts_as_the_last_says() -> None:
    lines = [
        said("m", "gemini", "x", tokens={"input": n, "output": 1, "total": n + 1}, model="a")
        for n in (10, 10, 20)
    ]
    assert [spent.input_tokens for spent in fast(lines)] == [10, 20]
    assert [e.input_tokens for e in slow(lines) if isinstance(e, Spent)] == [10, 20]


def test_tokens_in_the_arguments_of_a_tool_are_none() -> None:
    """What the fast path leaves unparsed must be a repetition indeed."""
    first = {"input": 10, "output": 1, "total": 11}
    for tokens in ({}, first, {"input": 20, "output": 1, "total": 21}, {"a": first}):
        made = {"id": "c", "name": "x", "args": {"tokens": first}}
        again = said("m", "gemini", tokens=tokens, toolCalls=[made])
        for before in (first, {"a": {"b": 1}}, None):
            lines = [said("m", "gemini", "x", tokens=before), again, again]
            assert [e for e in slow(lines) if isinstance(e, Spent)] == fast(lines)
            without = [lines[0], said("m", "gemini", toolCalls=[made])]
            assert [e for e in slow(without) if isinstance(e, Spent)] == fast(without)


def test_roots(tmp_path: Path) -> None:
    home, other = tmp_path / "home", tmp_path / "other"
    assert roots({"HOME": str(home)}) == (home / ".gemini" / "tmp",)
    assert roots({"HOME": str(home), "GEMINI_CLI_HOME": str(other)}) == (other / ".gemini" / "tmp",)
    assert list(find({"HOME": str(home)})) == []


def test_private_homes_are_found_too() -> None:
    wanted = files("plain")
    homes = [FIXTURES / "plain", FIXTURES / "plain" / ".gemini" / "tmp"]
    assert list(find({"HOME": "/nonexistent"}, homes)) == wanted
    assert list(find({"GEMINI_CLI_HOME": str(homes[0])}, homes)) == wanted


def test_nothing_outside_the_root_is_opened(tmp_path: Path, opened: list[str]) -> None:
    outside, root = tmp_path / "outside", tmp_path / "home" / ".gemini" / "tmp"
    chats = root / "work" / "chats"
    chats.mkdir(parents=True)
    secret = said("secret", "gemini", "x", tokens={"input": 1, "total": 1})
    for folder in (outside, outside / "chats"):
        folder.mkdir()
        (folder / "session-x.jsonl").write_bytes(HEADER + secret)
    (outside / "root").write_text("/secret")
    tricks = ("../../../../outside", "..", ".", "", "/", str(outside), "linked", "a\0b", "x" * 999)
    for number, trick in enumerate(tricks):
        head = {"sessionId": trick, "projectHash": "h", "kind": "main", "messageCount": 1}
        head["directories"] = [str(outside)]
        imported = f"Imported session from {outside}/../outside/session-x.jsonl"
        made = {"id": "c", "name": "invoke_agent", "args": {}, "agentId": trick}
        lines = [said("i", "info", imported), said("m", "gemini", toolCalls=[made])]
        path = chats / f"session-{number}.jsonl"
        path.write_bytes(json.dumps(head).encode() + b"\n" + b"".join(lines))
    (chats / "linked").symlink_to(outside)
    (chats / "session-link.jsonl").symlink_to(outside / "session-x.jsonl")
    (chats / "session-\n\x1b[31m.jsonl").write_bytes(HEADER)
    (root / "linked-project").symlink_to(outside)
    (root / "empty").mkdir()
    (root / "empty" / "chats").symlink_to(outside)
    (root / "work" / ".project_root").symlink_to(outside / "root")
    os.mkfifo(chats / "session-pipe.jsonl")

    opened.clear()
    found = list(find({"GEMINI_CLI_HOME": str(tmp_path / "home")}))
    assert sorted(p.name for p in found) == [f"session-{n}.jsonl" for n in range(len(tricks))]
    read_ones = [read(path) for path in found]
    read_ones += [read(chats / f"session-{name}.jsonl") for name in ("link", "pipe", "none")]
    assert not any(of(Spent, transcript) or transcript.children for transcript in read_ones)
    assert {t.session for t in read_ones[:-1]} <= {"linked", *(p.stem for p in chats.iterdir())}
    assert {child.child for t in read_ones for child in of(Called, t)} <= {"", "linked"}
    assert [t.warnings for t in read_ones[-3:]] == [("not a file that can be read",)] * 3
    assert opened
    refused = {chats / "session-link.jsonl", root / "work" / ".project_root"}  # by O_NOFOLLOW
    looked = {Path(one) for one in opened} - refused
    assert all(one.resolve().is_relative_to(root.resolve()) for one in looked), looked


def test_a_line_beyond_measure_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    path.write_bytes(b"one\n" + b"x" * 30 + b"\ntwo\n" + b"y" * 11)
    with path.open("rb") as file:
        assert list(split(file, 10)) == [b"one\n", None, b"two\n", None]
    with path.open("rb") as file:
        assert list(split(file, 31)) == path.read_bytes().splitlines(keepends=True)


def test_a_line_of_megabytes(tmp_path: Path) -> None:
    path = tmp_path / "session-x.jsonl"
    tokens = {"input": 3, "output": 1, "total": 4}
    path.write_bytes(HEADER + said("g", "gemini", "é" * 2_500_000, tokens=tokens, model="m"))
    transcript = read(path)
    assert [len(event.text) for event in of(Said, transcript)] == [8_026]
    assert [event.input_tokens for event in of(Spent, transcript)] == [3]


_ASKED = {"questions": [{"question": "Which port?"}, {"question": "Why?"}]}
_DISMISSED = "User dismissed ask_user dialog without answering."
_APPROVED = "Is this plan approved? p.md"


@pytest.mark.parametrize(
    ("name", "given", "subject", "answer", "failed"),
    [
        ("ask_user", _ASKED, "Which port?; Why?", '{"answers":{"0":"8080"}}', False),
        ("ask_user", _ASKED, "Which port?; Why?", _DISMISSED, True),
        ("exit_plan_mode", {"plan_filename": "p.md"}, _APPROVED, "Plan approved. …", False),
    ],
)
def test_a_question_to_the_user(
    name: str,
    given: dict[str, Any],
    subject: str,
    answer: str,
    failed: bool,
) -> None:
    result = [{"functionResponse": {"response": {"output": answer}}}]
    call = {"id": "c", "name": name, "args": given, "status": "success", "result": result}
    called, returned = slow([HEADER, said("g", "gemini", "", toolCalls=[call])])[-2:]
    assert (called.kind, called.subject) == (ToolKind.ASK, subject)
    assert (returned.failed, returned.text) == (failed, answer)


_ENDED = (
    b'{"id":"a","type":"gemini","toolCalls":[{"id":"c","name":"%s","status":"success","args":%s,'
    b'"result":[{"functionResponse":{"response":[]}}]}]}'
)


@pytest.mark.parametrize(
    "line",
    [
        b'{"id":"x","tokens":' + b"[" * 200_000,
        b'{"id":"x","tokens":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_001,
        b"[" * 900 + b'"tokens"' + b"]" * 900,
        b'{"id":"\xff\xfe","tokens":{"input":1}}',
        b'{"id":"\\ud83d","type":"gemini","tokens":{"input":1}}',
        b"\0" * 5_000,
        b"\0\0{}\0",
        b'"tokens"',
        b"null",
        b"123",
        b'{"$set":{"messages":[null,1,[],{"id":1},{"id":"a","tokens":[1]},{"id":"b","content":[[]]}]}}',
        b'{"$set":[]}',
        b'{"$rewindTo":{}}',
        b'{"sessionId":"s","projectHash":"h","startTime":[],"directories":{},"messages":{}}',
        b'{"id":"a","type":{},"timestamp":"2026-13-45","content":{"text":{}},"toolCalls":{"a":1}}',
        b'{"id":"a","type":"gemini","toolCalls":[{"id":"c","name":[],"args":[],"result":{},"status":[]}]}',
        _ENDED % (b"write_todos", b'{"todos":[1,{"description":{}},{"status":[]}]}'),
        _ENDED % (b"complete_task", b'{"result":' + b"[" * 900 + b"]" * 900 + b"}"),
    ],
)
def test_hostile_lines(line: bytes) -> None:
    before, after = said("u", "user", "hello"), said("g", "gemini", "hi")
    lines = [HEADER, before, line + b"\n", after]
    told = slow(lines)
    assert [e for e in told if isinstance(e, Spent)] == fast(lines)
    assert [e.text for e in told if isinstance(e, Said)][-1] == "hi"
    json.dumps([str(event) for event in told]).encode()


_LINES = {name: files(name)[-1].read_bytes().splitlines(keepends=True) for name in NAMES}
_BASES = st.sampled_from(NAMES).map(_LINES.__getitem__)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A real transcript, cut, doubled, shuffled or overwritten in places."""
    whole = b"".join(draw(_BASES))
    for _ in range(draw(st.integers(1, 4))):
        at, length = draw(st.integers(0, len(whole))), draw(st.integers(0, 400))
        junk = draw(st.sampled_from([b"", b"\0" * 9, b"\xff\xfe", b"\n", b"{", b'"', b"[" * 3000]))
        whole = whole[:at] + junk + draw(st.binary(max_size=8)) + whole[at + length :]
    return whole


@settings(max_examples=80)
@given(damaged())
def test_damage_breaks_nothing(whole: bytes) -> None:
    lines = whole.splitlines(keepends=True)
    told = slow(lines)
    assert [event for event in told if isinstance(event, Spent)] == fast(lines)


@settings(max_examples=60)
@given(_BASES, st.data())
def test_cut_lines_are_told(lines: Sequence[bytes], data: st.DataObject) -> None:
    """No total is too small without a warning."""
    which = data.draw(st.sets(st.integers(1, len(lines) - 1), max_size=4))
    cut = [
        line[: data.draw(st.integers(1, len(line) - 2))] + b"\n" if i in which else line
        for i, line in enumerate(lines)
    ]
    events = Events(Path("x"))
    told = slow([*cut, HEADER.replace(b'"s"', lines[0].split(b'"')[3].join([b'"', b'"']))], events)
    found = {event.id for event in told if isinstance(event, Spent)}
    lost = {spent.id for spent in fast(lines)} - found
    assert bool(which) == (UNREAD in events.warnings)
    assert not lost or UNREAD in events.warnings
    assert events.skipped == len(which)


@settings(max_examples=40)
@given(st.data())
def test_two_sessions_in_one_file_are_told(data: st.DataObject) -> None:
    one, two = _LINES["plain"], _LINES["todos"]
    order = data.draw(st.permutations([0] * len(one) + [1] * len(two)))
    sources = (iter(one), iter(two))
    mixed = [next(sources[which]) for which in order]
    events = Events(Path("x"))
    told = slow(mixed, events)
    assert {e.id for e in told if isinstance(e, Spent)} == {s.id for s in fast([*one, *two])}
    assert "the file holds the records of two sessions" in events.warnings


@settings(max_examples=60)
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "id",
                        "type",
                        "content",
                        "toolCalls",
                        "tokens",
                        "$set",
                        "messages",
                        "text",
                        "sessionId",
                        "projectHash",
                        "result",
                        "args",
                        "name",
                    ]
                ),
                inner,
            )
        ),
    )
)
def test_any_json_may_come(value: Any) -> None:
    line = json.dumps(value).encode()
    assert [e for e in slow([line]) if isinstance(e, Spent)] == fast([line])
