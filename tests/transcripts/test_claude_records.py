"""Transcripts of the real Claude Code, against what the model server stated (record_claude.py)."""

import json
import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from abreast.agents import recorded
from abreast.agents.claude.records import MARKS, Events, Spending, children, find, read, roots
from abreast.model.transcript import (
    Begun,
    Broken,
    Called,
    Compacted,
    Planned,
    Returned,
    Said,
    Spent,
    ToolKind,
    Transcript,
)
from tests.transcripts.record_claude import FIXTURES, PLACE, RECORDINGS, record, session_id

NAMES = sorted(RECORDINGS)
WORK = str(PLACE / "work")
SESSION = "0b5a1c1e-1111-4111-8111-123456789abc"
UNREAD = "1 replies could not be read, whose usage is missing"
_OPENED: list[str] = []
_WATCHING: list[bool] = []


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if _WATCHING and event in {"open", "os.scandir"} and not isinstance(arguments[0], int):
        _OPENED.append(os.fsdecode(arguments[0]))


sys.addaudithook(_watch)


@pytest.fixture
def opened() -> Iterator[list[str]]:
    """Every file and folder that the test opens, as it was named."""
    _OPENED.clear()
    _WATCHING.append(True)
    yield _OPENED
    _WATCHING.clear()


def files(name: str) -> list[Path]:
    return list(find({"CLAUDE_CONFIG_DIR": str(FIXTURES / name)}))


def session(name: str, of: str = "") -> Transcript:
    (path,) = [path for path in files(name) if path.stem == session_id(of or name)]
    return read(path)


def wire(folder: Path) -> list[dict[str, Any]]:
    stated: list[dict[str, Any]] = json.loads((folder / "wire.json").read_text())
    return [one for one in stated if not one.get("lost")]


def counts(stated: Iterable[Any]) -> list[tuple[Any, ...]]:
    """Requests in no order: subagents ask at the same time."""
    keys = ("model", "input", "cached", "written", "output")
    return sorted(
        tuple(one[key] for key in keys)
        if isinstance(one, dict)
        else (
            *(one.model, one.input_tokens, one.cached_tokens),
            *(one.written_tokens, one.output_tokens),
        )
        for one in stated
    )


def fast(lines: Iterable[bytes]) -> list[Spent]:
    spending = Spending(Path("any.jsonl"))
    return [s for line in lines if any(m in line for m in MARKS) for s in spending.feed(line)]


def slow(lines: Iterable[bytes], events: Events | None = None) -> list[Any]:
    events = events or Events(Path("any.jsonl"))
    return [event for line in lines for event in events.feed(line)]


def lines_of(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


def of(kind: type, transcript: Transcript) -> list[Any]:
    return [event for event in transcript.events if isinstance(event, kind)]


def everybody(transcript: Transcript) -> list[Transcript]:
    return [transcript, *(one for child in transcript.children for one in everybody(child))]


def shape(transcript: Transcript) -> list[tuple[Any, ...]]:
    """Calls with what came of them."""
    back = {event.id: event for event in of(Returned, transcript)}
    return [
        (
            c.kind,
            c.subject.replace(f"{WORK}/", ""),
            len(c.paths),
            back[c.id].failed,
            back[c.id].code,
        )
        for c in of(Called, transcript)
    ]


def talk(transcript: Transcript) -> list[tuple[bool, str]]:
    return [(event.by_user, event.text) for event in of(Said, transcript)]


def line(kind: str = "assistant", **more: Any) -> bytes:
    head = {"parentUuid": None, "type": kind, "sessionId": SESSION, "cwd": "/w"}
    stamp = {"timestamp": "2026-01-02T03:04:05.678Z", "uuid": "u1"}
    return json.dumps({**head, **stamp, **more}, separators=(",", ":")).encode() + b"\n"


def reply(identity: str = "m1", tokens: int = 7, **more: Any) -> bytes:
    usage = {"input_tokens": 100, "cache_read_input_tokens": 10, "output_tokens": tokens}
    message = {"id": identity, "model": "claude-x", "stop_reason": "end_turn", "usage": usage}
    return line(message={**message, "content": [{"type": "text", "text": "hi"}], **more})


def write(path: Path, *lines: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(lines))
    return path


# --- totals ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_totals_are_those_of_the_wire(name: str) -> None:
    """However often a reply is on record, in however many files; a summary's alone is not."""
    found = {s.id: s for path in files(name) for s in fast(lines_of(path))}
    stated = wire(FIXTURES / name)
    if name == "compacted":
        stated = [one for one in stated if one["input"] != 5011]
    assert counts(found.values()) == counts(stated)


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"compacted", "forked"}))
def test_each_session_and_each_subagent_has_its_own_requests(name: str) -> None:
    for one in map(read, files(name)):
        own = [s for s in wire(FIXTURES / name) if one.session == (s["agent"] or s["session"])]
        assert own
        assert counts(of(Spent, one)) == counts(own)


def test_a_fork_has_the_requests_that_it_starts_from_and_its_own() -> None:
    stated = wire(FIXTURES / "forked")
    family = [session_id(name) for name in ("forked", "forked-2", "forked-3")]
    for number, one in enumerate(family, 1):
        (path,) = [path for path in files("forked") if path.stem == one]
        before = [s for s in stated if s["session"] in family[:number]]
        assert counts(of(Spent, read(path))) == counts(before)


@pytest.mark.parametrize("name", NAMES)
def test_a_whole_session_has_every_request_once(name: str) -> None:
    """Those of its subagents, and of their subagents, included."""
    mains = [read(path) for path in files(name) if "subagents" not in path.parts[-2]]
    ids = [s.id for main in mains for one in everybody(main) for s in of(Spent, one)]
    if name != "forked":
        assert len(ids) == len(set(ids))
    summary = 1 if name == "compacted" else 0
    assert len(set(ids)) == len(wire(FIXTURES / name)) - summary


@pytest.mark.parametrize("name", NAMES)
def test_both_ways_to_read_agree(name: str) -> None:
    for path in files(name):
        lines = lines_of(path)
        assert [e for e in slow(lines) if isinstance(e, Spent)] == fast(lines)
        # An index goes on where it was, with a reader that knows nothing of what came before.
        assert [spent for one in lines for spent in fast([one])] == fast(lines)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_of_the_real_ones_is_unknown(name: str) -> None:
    told = {
        "compacted": ("5011 prompt and 131 output tokens were used that no record has",),
        "dropped": ("1 requests broke off and were sent again: what they used is not recorded",),
    }
    for transcript in map(read, files(name)):
        assert (transcript.agent, transcript.skipped) == ("claude", 0)
        assert (transcript.cwd, transcript.branch) == (WORK, "main")
        assert 0 < transcript.begun <= transcript.last
        assert transcript.warnings == told.get(name, ())


# --- what happened --------------------------------------------------------------------------


def test_a_plain_session() -> None:
    plain = session("plain")
    begun = plain.events[0]
    assert begun == Begun(plain.begun, session_id("plain"), WORK, "main", plain.version)
    test = "python3 test_app.py"
    assert shape(plain) == [
        (ToolKind.READ, "app.py", 1, False, None),
        (ToolKind.SHELL, "grep -n greet *.py", 0, False, 0),
        (ToolKind.SHELL, test, 0, True, 1),
        (ToolKind.WRITE, "app.py", 1, False, None),
        (ToolKind.WRITE, "NOTES.md", 1, False, None),
        (ToolKind.SHELL, f"{test} && echo all is well", 0, False, 0),
        (ToolKind.READ, "missing.py", 1, True, None),
        (ToolKind.SHELL, "exit 7", 0, True, 7),
    ]
    assert talk(plain) == [
        (True, "Make the greeting polite. [PLAIN]"),
        (False, "I look first."),
        (False, "The greeting is wrong."),
        (False, "The greeting is polite now.\n\nShall I add a changelog entry?"),
    ]
    assert of(Called, plain)[0].paths == (f"{WORK}/app.py",)
    assert not of(Broken, plain)


def test_subagents_hang_under_the_calls_that_started_them() -> None:
    parent = session("subagents")
    one, other = parent.children
    assert {one.parent, other.parent} == {parent.session}
    assert [c.child for c in of(Called, parent)] == [one.session, other.session]
    assert {c.kind for c in of(Called, parent)} == {ToolKind.DELEGATE}
    assert [c.subject for c in of(Called, parent)] == ["Find it. [CHILD-A]", "Check it. [CHILD-B]"]
    assert talk(one) == [(True, "Find it. [CHILD-A]"), (False, "greet() in app.py:1 greets.")]
    assert [r.child for r in of(Returned, parent)] == [one.session, other.session]
    assert "greet() in app.py:1 greets." in of(Returned, parent)[0].text
    assert [Path(c.path) for c in parent.children] == sorted(
        children(Path(parent.path)), key=lambda path: read(path).begun
    )


def test_what_a_background_subagent_hands_back_comes_later_and_is_not_said_by_the_user() -> None:
    parent = session("background")
    launched, done = of(Returned, parent)
    (child,) = parent.children
    assert (launched.id, launched.child) == (done.id, done.child) == (done.id, child.session)
    assert "greet() in app.py:1 greets." in done.text
    assert [text for by_user, text in talk(parent) if by_user] == ["Let another look. [PARENT]"]


def test_a_subagent_of_a_subagent() -> None:
    parent = session("nested")
    (child,) = parent.children
    (grandchild,) = child.children
    assert (child.parent, grandchild.parent) == (parent.session, child.session)
    assert of(Called, child)[0].child == of(Returned, child)[0].child == grandchild.session
    assert children(Path(child.path)) == [Path(grandchild.path)]
    assert children(Path(grandchild.path)) == []


def test_a_resumed_session_is_one() -> None:
    resumed = session("resumed")
    assert [text for by_user, text in talk(resumed) if by_user] == [
        "Read the code. [FIRST]",
        "Now test it. [SECOND]",
    ]
    assert len(of(Begun, resumed)) == 1


def test_a_fork_says_what_it_is_a_fork_of() -> None:
    assert [b.forked_from for b in of(Begun, session("forked"))] == [""]
    second, third = session("forked", "forked-2"), session("forked", "forked-3")
    assert of(Begun, second)[-1].forked_from == session_id("forked")
    assert of(Begun, third)[-1].forked_from == second.session
    assert third.session == session_id("forked-3")


def test_a_summary_is_not_what_the_user_said() -> None:
    compacted = session("compacted")
    assert len(of(Compacted, compacted)) == 1
    said = [text for by_user, text in talk(compacted) if by_user]
    assert said == ["Read the code. [FIRST]", "/compact", "Go on. [SECOND]"]


def test_what_ended_it() -> None:
    assert [b.reason for b in of(Broken, session("limited"))] == ["its limit of 2 turns"]
    assert [b.reason for b in of(Broken, session("interrupted"))] == ["interrupted by the user"]
    overloaded, too_long = of(Broken, session("refused"))
    assert overloaded.reason.startswith("API Error: 529 Overloaded")
    assert too_long.reason.startswith("Prompt is too long")
    assert all("claude" in s.model for s in of(Spent, session("refused")))


def test_one_that_was_killed_has_a_call_without_an_end() -> None:
    killed = session("killed")
    last = of(Called, killed)[-1]
    assert last.subject == "touch begun && sleep 600"
    assert last.id not in {r.id for r in of(Returned, killed)}
    assert not of(Broken, killed)


def test_the_plan_as_it_then_stood() -> None:
    plans = [plan.items for plan in of(Planned, session("todos"))]
    assert plans[0] == (("look", False),)
    assert plans[-1] == (("look", True), ("edit", False))
    assert {c.kind for c in of(Called, session("todos"))} == {ToolKind.PLAN}


def test_a_todo_list_written_as_a_whole() -> None:
    todos = [{"content": "a", "status": "completed"}, {"content": "b", "status": "pending"}]
    content = [{"type": "tool_result", "tool_use_id": "t", "content": "ok"}]
    raw = line("user", message={"content": content}, toolUseResult={"newTodos": todos})
    assert Planned(1767323045.678, (("a", True), ("b", False))) in slow([raw])


def test_what_the_user_says_while_it_works() -> None:
    attached = {"type": "queued_command", "prompt": "and the docs"}
    assert slow([line("attachment", attachment=attached)])[1:] == [
        Said(1767323045.678, by_user=True, text="and the docs")
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<system-reminder>\nthe date\n</system-reminder>\nhello", ["hello"]),
        ("<system-reminder>only this</system-reminder>", []),
        ("<local-command-stdout>out</local-command-stdout>", []),
        ("<bash-input>ls</bash-input>", []),
        ("<command-name>/fix</command-name><command-args>it all</command-args>", ["/fix it all"]),
        ("2 < 3", ["2 < 3"]),
    ],
)
def test_only_what_the_user_wrote_is_said_by_the_user(text: str, said: list[str]) -> None:
    found = slow([line("user", message={"content": text})])
    assert [event.text for event in found if isinstance(event, Said)] == said


def test_long_texts_keep_their_ends_and_their_size() -> None:
    text = "a" * 5000 + "\0" * 50_000 + "z" * 5000
    block = {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": text}]}
    back = slow([line("user", message={"content": [block]})])[1]
    assert back.size == 60_000
    assert len(back.text) < 8100
    assert back.text.startswith("a" * 4000)
    assert back.text.endswith("z" * 4000)


@pytest.mark.parametrize(
    ("result", "text", "failed", "code"),
    [
        ({"stdout": "", "stderr": ""}, "", False, 0),
        ({"stdout": "", "returnCodeInterpretation": "No matches found"}, "", False, None),
        ({"stdout": "", "backgroundTaskId": "b1"}, "", False, None),
        ({"stdout": "", "interrupted": True}, "", True, None),
        ("Error: Exit code 3", "Exit code 3\nno", True, 3),
        ("Error: Exit code 3", "it said: Exit code 3", True, None),
    ],
)
def test_exit_codes_as_far_as_they_are_told(
    result: Any, text: str, failed: bool, code: int | None
) -> None:
    block = {"type": "tool_result", "tool_use_id": "t", "content": text}
    block["is_error"] = isinstance(result, str)
    back = slow([line("user", message={"content": [block]}, toolUseResult=result)])[1]
    assert (back.failed, back.code) == (failed, code)


# --- usage in odd records -------------------------------------------------------------------


def test_a_reply_whose_end_was_not_recorded_is_told() -> None:
    events = Events(Path("any.jsonl"))
    slow([reply("m1", 1, stop_reason=None), reply("m1", 30)], events)
    assert events.warnings == []
    slow([reply("m2", 1, stop_reason=None), reply("m3", stop_reason=None)], events)
    told = "2 replies were cut off: their output may be larger than recorded"
    assert events.warnings == [told]


def test_the_last_record_of_a_reply_counts(tmp_path: Path) -> None:
    path = write(tmp_path / f"{SESSION}.jsonl", reply("m1", 1), reply("m2", 5), reply("m1", 30))
    assert [(s.id, s.output_tokens) for s in of(Spent, read(path))] == [("m1", 30), ("m2", 5)]


def test_ids_are_the_same_in_a_copy() -> None:
    bare = {"id": None, "usage": {"input_tokens": 1}}
    for more in ({"uuid": "u"}, {"uuid": None}, {"uuid": None, "requestId": "r"}):
        one = line(message=bare, **more)
        other = line(message=bare, **{**more, "sessionId": "another"})
        assert fast([one])[0].id == fast([other])[0].id != ""
    assert fast([line(message=bare, uuid=None)]) != fast(
        [line(message={"usage": {"input_tokens": 2}}, uuid=None)]
    )


@pytest.mark.parametrize("odd", [-5, 1.5, "9", None, True, [], 10**40])
def test_what_is_no_count_is_none(odd: Any) -> None:
    usage = {"input_tokens": odd, "output_tokens": 3, "cache_read_input_tokens": 2}
    (spent,) = fast([line(message={"id": "m", "model": "claude-x[1m]", "usage": usage})])
    assert (spent.input_tokens, spent.cached_tokens, spent.output_tokens) == (2, 2, 3)
    assert spent.model == "claude-x"


def test_half_a_character_loses_no_usage() -> None:
    raw = reply().replace(b'"hi"', b'"\\ud83d"')
    assert fast([raw])[0].output_tokens == 7
    assert [e.text for e in slow([raw]) if isinstance(e, Said)] == ["?"]


# --- torn, hostile, huge --------------------------------------------------------------------


def test_a_torn_last_line_is_normal(tmp_path: Path) -> None:
    path = write(tmp_path / f"{SESSION}.jsonl", reply("m1"), reply("m2")[:-9])
    found = read(path)
    assert [s.id for s in of(Spent, found)] == ["m1"]
    assert (found.skipped, found.warnings) == (1, ())


def test_a_line_that_was_torn_and_written_on_is_told() -> None:
    events = Events(Path("any.jsonl"))
    found = slow([reply("m1")[:-9] + reply("m2")], events)
    assert [e.id for e in found if isinstance(e, Spent)] == ["m2"]
    assert (events.skipped, events.warnings) == (1, [UNREAD])


def test_a_reply_without_usage_is_told() -> None:
    events = Events(Path("any.jsonl"))
    slow([line(message={"id": "m", "model": "claude-x", "content": []})], events)
    assert events.warnings == [UNREAD]


def test_what_another_version_writes_is_counted() -> None:
    events = Events(Path("any.jsonl"))
    slow([line("hologram"), b"[1]\n", b"null\n", b"\n", b"\0\0\0\n", b"{}\n"], events)
    assert events.skipped == 5
    assert events.warnings == []


def test_a_line_beyond_all_measure_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorded.record_lines, "__defaults__", (50_000,))
    long = line("user", message={"content": "x" * 200_000})
    found = read(write(tmp_path / f"{SESSION}.jsonl", reply("m1"), long, reply("m2")))
    assert [s.id for s in of(Spent, found)] == ["m1", "m2"]
    assert found.warnings == ("line 2 is longer than 50000 bytes: left out",)


def test_five_megabytes_and_deep_nesting(tmp_path: Path) -> None:
    big = line("user", message={"content": "x" * 5_000_000})
    deep = b'{"type":"user","message":' + b"[" * 900 + b"]" * 900 + b"}\n"
    deeper = b'{"type":"user","message":' + b"[" * 100_000 + b"]" * 100_000 + b"}\n"
    nested: Any = "x"
    for _ in range(500):
        nested = [nested]
    block = {"type": "tool_use", "name": "Bash", "input": {"command": nested, "path": nested}}
    odd = reply("m2", content=[block])
    found = read(write(tmp_path / f"{SESSION}.jsonl", big, deep, deeper, reply("m1"), odd))
    assert [s.id for s in of(Spent, found)] == ["m1", "m2"]
    assert found.skipped == 1
    assert of(Called, found)[0].subject == "…"


def test_no_link_and_no_pipe_is_opened(tmp_path: Path, opened: list[str]) -> None:
    root, out = tmp_path / "projects", tmp_path / "out"
    write(root / "-w" / f"{SESSION}.jsonl", reply("m1"))
    secret = write(out / "subagents" / "agent-a1.jsonl", reply("m2"))
    write(out / "agent-a2.jsonl", reply("m3"))
    (root / "-w" / "stolen.jsonl").symlink_to(secret)
    (root / "-v").symlink_to(out)
    (root / "-w" / SESSION).symlink_to(out)
    os.mkfifo(root / "-w" / "pipe.jsonl")
    opened.clear()
    (path,) = find({"CLAUDE_CONFIG_DIR": str(tmp_path)})
    assert [s.id for one in everybody(read(path)) for s in of(Spent, one)] == ["m1"]
    for odd in ("stolen.jsonl", "pipe.jsonl", "none.jsonl", "nul\0.jsonl"):
        assert read(root / "-w" / odd).warnings[0].startswith("cannot be read beyond line 0: ")
    assert str(path) in opened
    assert not [one for one in opened if "out" in Path(one).parts]


@pytest.mark.parametrize("hostile", ["../../../out/agent-x", "/etc/passwd", "a\0b", "x" * 5000])
def test_no_path_is_taken_from_a_record(tmp_path: Path, opened: list[str], hostile: str) -> None:
    folder = tmp_path / "projects" / "-w"
    write(tmp_path / "out" / "agent-x.jsonl", reply("m9"))
    told = {"agentId": hostile, "outputFile": hostile}
    block = {"type": "tool_result", "tool_use_id": "t", "content": "x"}
    main = line("user", message={"content": [block]}, toolUseResult=told, sessionId=hostile)
    path = write(folder / f"{SESSION}.jsonl", main, reply("m1"))
    child = write(folder / SESSION / "subagents" / "agent-a1.jsonl", reply("m2"))
    about = {"parentAgentId": hostile, "toolUseId": [hostile]}
    child.with_suffix(".meta.json").write_text(json.dumps(about))
    opened.clear()
    found = read(path)
    seen = list(opened)
    assert [s.id for one in everybody(found) for s in of(Spent, one)] == ["m1", "m2"]
    assert str(path) in seen
    assert [one for one in seen if not Path(one).resolve().is_relative_to(folder)] == []


def test_names_that_no_terminal_should_see_are_left_out(tmp_path: Path) -> None:
    write(tmp_path / "-w" / "evil\x1b[2J.jsonl", reply("m1"))
    (tmp_path / "-w" / os.fsdecode(b"half\xff.jsonl")).write_bytes(reply("m2"))
    assert list(find({"CLAUDE_CONFIG_DIR": "/nowhere"}, [tmp_path])) == []


def test_parents_that_go_round_lose_nobody(tmp_path: Path) -> None:
    folder = tmp_path / "-w" / SESSION / "subagents"
    path = write(tmp_path / "-w" / f"{SESSION}.jsonl", reply("m0"))
    for name, parent in {"a": "b", "b": "a", "c": "a", "d": "nobody", "e": "e"}.items():
        write(folder / f"agent-{name}.jsonl", reply(f"m{name}"))
        (folder / f"agent-{name}.meta.json").write_text(json.dumps({"parentAgentId": parent}))
    for number in range(40):
        write(folder / "deep" / f"agent-n{number}.jsonl", reply(f"n{number}"))
        about = json.dumps({"parentAgentId": f"n{number + 1}"})
        (folder / "deep" / f"agent-n{number}.meta.json").write_text(about)
    ids = [s.id for one in everybody(read(path)) for s in of(Spent, one)]
    assert len(ids) == len(set(ids)) == 46


def test_subagents_of_older_versions_lie_beside_their_session(tmp_path: Path) -> None:
    path = write(tmp_path / "-w" / f"{SESSION}.jsonl", reply("m1"))
    mine = write(tmp_path / "-w" / "agent-1f.jsonl", reply("m2"))
    write(tmp_path / "-w" / "agent-2f.jsonl", line(sessionId="another"))
    (child,) = read(path).children
    assert children(path) == [mine]
    assert (child.session, child.parent) == ("1f", SESSION)
    within = line("user", message={"content": "find it"}, isSidechain=True)
    assert [type(event) for event in slow([within])] == [Begun]


def test_a_copy_under_another_name_knows_its_session(tmp_path: Path) -> None:
    assert read(write(tmp_path / "transcript.jsonl", reply())).session == SESSION


def test_where_they_lie(tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path)}
    assert roots(home)[0] == tmp_path / ".claude" / "projects"
    assert roots({**home, "CLAUDE_CONFIG_DIR": "/c"}) == (Path("/c/projects"),)
    own = write(tmp_path / ".claude" / "projects" / "-w" / "a.jsonl", b"")
    private = write(tmp_path / "p" / ".claude" / "projects" / "-w" / "b.jsonl", b"")
    bare = write(tmp_path / "bare" / "-w" / "c.jsonl", b"")
    deep = write(tmp_path / "bare" / "-w" / "c" / "subagents" / "x" / "y" / "agent-d.jsonl", b"")
    write(tmp_path / "bare" / "-w" / "c" / "tool-results" / "e.jsonl", b"")
    write(tmp_path / "bare" / "-w" / "memory.txt", b"")
    also = [tmp_path / "p", tmp_path / "bare", tmp_path / ".claude", tmp_path / "none"]
    assert list(find(home, also)) == [own, private, bare, deep]


def test_finding_opens_no_file(opened: list[str]) -> None:
    found = files("subagents")
    assert len(found) == 3
    assert not [one for one in opened if one.endswith((".jsonl", ".json"))]


# --- fuzz -----------------------------------------------------------------------------------

SAMPLES = [
    line for name in ("plain", "todos", "forked") for p in files(name) for line in lines_of(p)
]
CHILDREN = [line for p in files("nested") for line in lines_of(p)]
FUZZ = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def check(lines: list[bytes]) -> None:
    """Whatever the lines: both readers agree, and all they tell can be written down."""
    events = Events(Path(f"{SESSION}.jsonl"))
    found = slow(lines, events)
    assert [event for event in found if isinstance(event, Spent)] == fast(lines)
    "".join(map(repr, found)).encode()
    json.dumps([events.warnings, events.session]).encode()
    assert events.skipped >= 0


@given(st.data())
@FUZZ
def test_truncated_and_interleaved(data: st.DataObject) -> None:
    one, other = data.draw(st.sampled_from(SAMPLES)), data.draw(st.sampled_from(CHILDREN))
    at, to = data.draw(st.integers(0, len(one))), data.draw(st.integers(0, len(other)))
    check([one[:at] + other[:to] + one[at:], other[to:], one[:at]])
    events = Events(Path("any.jsonl"))
    slow([one[:at] + other], events)
    if b'"role":"assistant"' in one[:at] and at < len(one) - 1 and b"<synthetic>" not in one:
        assert events.warnings, "a usage was lost and nobody said so"


@given(st.data())
@FUZZ
def test_corrupt_bytes(data: st.DataObject) -> None:
    raw = bytearray(data.draw(st.sampled_from(SAMPLES + CHILDREN)))
    for _ in range(data.draw(st.integers(1, 8))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    check([bytes(raw)])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.data())
@FUZZ
def test_values_of_any_kind_anywhere(data: st.DataObject) -> None:
    record_ = json.loads(data.draw(st.sampled_from(SAMPLES + CHILDREN)))
    for _ in range(data.draw(st.integers(1, 4))):
        place: Any = record_
        while isinstance(place, dict | list) and place:
            key = data.draw(
                st.sampled_from(sorted(place))
                if isinstance(place, dict)
                else st.integers(0, len(place) - 1)
            )
            if not isinstance(place[key], dict | list) or data.draw(st.booleans()):
                place[key] = data.draw(JSON)
                break
            place = place[key]
    check([json.dumps(record_, separators=(",", ":")).encode() + b"\n"])


@given(st.binary(max_size=2000))
@FUZZ
def test_noise(raw: bytes) -> None:
    check(raw.splitlines(keepends=True))


@given(
    st.lists(st.sampled_from([b"\0", b"\xff\xfe", b"\n", b"[" * 3000, b'{"', b'":{}}']), max_size=9)
)
@FUZZ
def test_whole_files_of_noise(parts: list[bytes]) -> None:
    folder = Path(os.environ["TMPDIR"]) / "claude-noise"
    try:
        path = write(folder / "-w" / f"{SESSION}.jsonl", *parts, reply("m1"))
        write(folder / "-w" / SESSION / "subagents" / "agent-a.jsonl", b"".join(parts))
        write(folder / "-w" / SESSION / "subagents" / "agent-a.meta.json", b"".join(parts))
        found = read(path)
        assert found.session == SESSION
        assert len(of(Spent, found)) == 1 or found.warnings or found.skipped
    finally:
        shutil.rmtree(folder)


# --- the real one ---------------------------------------------------------------------------


@pytest.mark.clis
def test_a_new_recording_is_read_alike(tmp_path: Path) -> None:
    folder = record("subagents", tmp_path)
    (path,) = (folder / "projects").glob("*/*.jsonl")
    found = read(path)
    paid = [s for one in everybody(found) for s in of(Spent, one)]
    assert counts(paid) == counts(wire(folder))
    assert (found.skipped, found.warnings) == (0, ())
    assert [child.skipped for child in found.children] == [0, 0]
