"""Rollouts of the real Codex CLI, against what the model server stated (record_codex.py)."""

import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import tracemalloc
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from abreast.agents.codex import records, records_lines
from abreast.agents.codex.records import (
    MARKS,
    Events,
    Spending,
    children,
    find,
    open_record,
    read,
    roots,
)
from abreast.agents.codex.records_lines import KEPT
from abreast.agents.codex.records_shell import sort_command
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
from tests.transcripts.record_codex import FIXTURES, PLACE, RECORDS

NAMES = sorted(RECORDS)
MISSING = "requests are missing; what the total says of them is counted as one"
ANY = Path("rollout-any.jsonl")
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
    return list(find({"CODEX_HOME": str(FIXTURES / name)}))


def lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


def session(name: str) -> Transcript:
    """The first session of a fixture; its sub-agents and forks began later."""
    return read(files(name)[0])


def wire(name: str) -> list[dict[str, Any]]:
    stated: list[dict[str, Any]] = json.loads((FIXTURES / name / "wire.json").read_text())
    return stated


Request = tuple[str, int, int, int, int]


def stated(ones: Iterable[dict[str, Any]]) -> list[Request]:
    return sorted((o["model"], o["input"], o["cached"], o["written"], o["output"]) for o in ones)


def counts(spent: Iterable[Spent]) -> list[Request]:
    return sorted(
        (s.model, s.input_tokens, s.cached_tokens, s.written_tokens, s.output_tokens) for s in spent
    )


def fast(given: Iterable[bytes], spending: Spending | None = None) -> list[Spent]:
    spending = spending or Spending(ANY)
    return [s for line in given if any(m in line for m in MARKS) for s in spending.feed(line)]


def slow(given: Iterable[bytes], events: Events | None = None) -> list[Any]:
    events = events or Events(ANY)
    return [event for line in given for event in events.feed(line)]


def once(spent: Iterable[Spent]) -> list[Spent]:
    return list({one.id: one for one in spent}.values())


def of(kind: type, transcript: Transcript) -> list[Any]:
    return [event for event in transcript.events if isinstance(event, kind)]


def shape(transcript: Transcript) -> list[tuple[Any, ...]]:
    """Calls with what came of them at last."""
    back = {event.id: event for event in of(Returned, transcript)}
    return [
        (c.kind, c.subject, c.paths, back[c.id].failed, back[c.id].code)
        for c in of(Called, transcript)
        if c.id in back
    ]


def talk(transcript: Transcript) -> list[tuple[bool, str]]:
    return [(event.by_user, event.text) for event in of(Said, transcript)]


def record(kind: str, payload: Any, **more: Any) -> bytes:
    line = {"timestamp": "2026-01-02T03:04:05.678Z", "type": kind, "payload": payload, **more}
    return json.dumps(line, separators=(",", ":")).encode() + b"\n"


def older(given: Iterable[bytes]) -> list[bytes]:
    """A rollout as before there were records of single responses."""
    return [line for line in given if b'"type":"token_usage_record"' not in line]


@pytest.mark.parametrize("name", NAMES)
def test_totals_are_those_of_the_wire(name: str) -> None:
    found = once(spent for path in files(name) for spent in fast(lines(path)))
    assert counts(found) == stated(wire(name))
    assert all(spent.cost_usd is None and spent.at > 0 for spent in found)


@pytest.mark.parametrize("name", NAMES)
def test_totals_of_each_session_are_those_of_the_wire(name: str) -> None:
    for path in files(name):
        whole = read(path)
        own = [o for o in wire(name) if (o["agent"] or o["session"]) == whole.session]
        assert counts(of(Spent, whole)) == stated(own)


@pytest.mark.parametrize("name", NAMES)
def test_both_ways_to_read_agree(name: str) -> None:
    for path in files(name):
        spending, events = Spending(path), Events(path)
        given = lines(path)
        assert [e for e in slow(given, events) if isinstance(e, Spent)] == fast(given, spending)
        assert spending.warnings == events.warnings == []
        assert spending.skipped == events.skipped == 0
        # An index goes on where it was.
        for cut in range(0, len(given), 7):
            early = Spending(path)
            first = fast(given[:cut], early)
            late = Spending(path, json.loads(json.dumps(early.state)))
            assert first + fast(given[cut:], late) == fast(given)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_of_the_real_ones_is_unknown(name: str) -> None:
    for transcript in map(read, files(name)):
        assert (transcript.skipped, transcript.warnings) == (0, ())
        assert (transcript.agent, transcript.version) == ("codex", "0.169.0")
        assert (transcript.cwd, transcript.branch) == (str(PLACE / name / "repo"), "main")
        assert 0 < transcript.begun <= transcript.last
        assert transcript.session in transcript.path
        told = json.dumps(talk(transcript))
        assert "use tabs" not in told, "AGENTS.md is nothing that the user said"
        assert "environment_context" not in told


def test_a_plain_session() -> None:
    plain = session("plain")
    assert plain.events[0] == Begun(
        plain.begun, plain.session, str(PLACE / "plain/repo"), "main", "0.169.0"
    )
    assert shape(plain) == [
        (ToolKind.READ, "cat -- src/app.py", ("src/app.py",), False, 0),
        (ToolKind.SEARCH, "grep -rn hello src", (), False, 0),
        (ToolKind.WRITE, "src/app.py", ("src/app.py",), False, 0),
        (ToolKind.WRITE, "tests/test_app.py", ("tests/test_app.py",), False, 0),
        (ToolKind.SHELL, "echo '1 failed'; exit 3", (), True, 3),
        (ToolKind.SHELL, "echo '1 passed'", (), False, 0),
        (ToolKind.WRITE, "/outside.txt", ("/outside.txt",), True, None),
    ]
    assert talk(plain) == [
        (True, "greet with hi"),
        (False, "I look first."),
        (False, "It greets with hi."),
    ]
    assert [r.text for r in of(Returned, plain)][-3:] == [
        "1 failed\n",
        "1 passed\n",
        "patch rejected: writing outside of the project; rejected by user approval settings",
    ]
    assert plain.children == () == tuple(of(Broken, plain))
    # In the order of the record: what was said, the call, what the request had cost.
    kinds = [type(event) for event in plain.events[:6]]
    assert kinds == [Begun, Said, Said, Called, Spent, Returned]


def test_calls_that_a_script_makes_are_told_with_it() -> None:
    plain, script = session("plain"), session("code_mode")
    tools = [c for c in shape(script) if c[0] is not ToolKind.OTHER]
    repo = str(PLACE / "code_mode/repo/")
    told = [(kind, paths, failed) for kind, _, paths, failed, _ in tools]
    same = [(kind, paths, failed) for kind, _, paths, failed, _ in shape(plain)[:-1]]
    assert [(k, tuple(p.removeprefix(f"{repo}/") for p in ps), f) for k, ps, f in told] == same
    assert [code for *_, code in tools] == [0, 0, None, None, 3, 0]
    # What was refused is known to the script alone.
    last = [c for c in shape(script) if c[0] is ToolKind.OTHER][-1]
    assert "/outside.txt" in last[1]
    assert last[3:] == (True, None)
    assert talk(script) == talk(plain)
    # What the inner call printed is not counted again with what the script returned.
    sizes = {r.id: r.size for r in of(Returned, script)}
    outer = [c for c in of(Called, script) if c.kind is ToolKind.OTHER]
    reading = outer[1]
    assert "cat -- src/app.py" in reading.subject
    inner = len("def greet():\n    return 'hello'\n")
    assert inner in sizes.values()
    raw = next(
        line
        for line in lines(files("code_mode")[0])
        if b"output" in line and f'"call_id":"{reading.id}"'.encode() in line
    )
    parts = json.loads(raw)["payload"]["output"]
    assert sizes[reading.id] == len("\n".join(part["text"] for part in parts)) - inner


def test_plans() -> None:
    assert [p.items for p in of(Planned, session("planned"))] == [
        (("look", False), ("edit", False), ("test", False)),
        (("look", True), ("edit", False), ("test", False)),
    ]
    calls = of(Called, session("planned"))
    assert [(c.kind, c.subject) for c in calls] == [
        (ToolKind.PLAN, "look"),
        (ToolKind.PLAN, "edit"),
    ]
    (plan,) = of(Planned, session("code_mode"))
    assert plan.items == (("look", True), ('don\'t "stop"', False))


def test_a_resumed_session_is_one() -> None:
    (path,) = files("resumed")
    assert talk(read(path)) == [
        (True, "count lines"),
        (False, "3"),
        (True, "and words"),
        (False, "Done."),
    ]


def test_forks_are_sessions_of_their_own() -> None:
    first, second, third, fourth = map(read, files("forked"))
    begun = [of(Begun, fork)[0] for fork in (first, second, third, fourth)]
    assert [one.forked_from for one in begun] == [
        *("", first.session, second.session, first.session)
    ]
    assert {one.parent for one in begun} == {""}
    assert first.children == ()
    assert talk(second) == [(True, "another way"), (False, "Done.")]
    # Its record begins with a total that is its parent's.
    assert of(Spent, fourth) == []
    assert b'"token_count"' in files("forked")[3].read_bytes()
    assert "usage limit" in of(Broken, fourth)[0].reason


def test_subagents_are_children() -> None:
    parent = session("subagents")
    assert [child.parent for child in parent.children] == [parent.session] * 2
    assert [talk(child) for child in parent.children] == [
        [(True, "read notes for me"), (False, "3 lines")],
        [(True, "read app for me"), (False, "greets")],
    ]
    assert [shape(child)[0][2] for child in parent.children] == [
        ("src/notes.txt",),
        ("src/app.py",),
    ]
    sessions = [child.session for child in parent.children]
    calls = {call.id: call for call in of(Called, parent)}
    back = [(calls[r.id].kind, calls[r.id].name, r.child) for r in of(Returned, parent)]
    spawn, wait = "multi_agent_v1.spawn_agent", "multi_agent_v1.wait_agent"
    assert back == [
        (ToolKind.DELEGATE, spawn, sessions[0]),
        (ToolKind.OTHER, wait, sessions[0]),
        (ToolKind.DELEGATE, spawn, sessions[1]),
        (ToolKind.OTHER, wait, sessions[1]),
    ]
    assert [str(path) for path in children(Path(parent.path))] == [
        child.path for child in parent.children
    ]
    assert all(child.children == () for child in parent.children)


def test_newer_subagents_have_a_copy_of_what_was_before() -> None:
    parent = session("collaboration")
    (child,) = parent.children
    assert of(Returned, parent)[0].child == child.session
    prompt, answer = talk(child)
    assert prompt[0]
    assert prompt[1].endswith("read notes for me")
    assert answer == (False, "3 lines")
    assert [c.kind for c in of(Called, child)] == [ToolKind.OTHER, ToolKind.READ]
    assert of(Begun, child)[0].forked_from == parent.session


def test_how_a_session_ended() -> None:
    assert [b.reason for b in of(Broken, session("interrupted"))] == ["interrupted"]
    (quota,) = of(Broken, session("quota"))
    assert "hit your usage limit" in quota.reason
    killed = session("killed")
    assert of(Broken, killed) == []
    assert of(Called, killed)[-1].subject == "touch on; sleep 600"
    assert of(Called, killed)[-1].id not in {r.id for r in of(Returned, killed)}
    reasons = [b.reason for b in of(Broken, session("revived"))]
    assert len(reasons) == 1
    assert "hit your usage limit" in reasons[0]


def test_the_late_end_of_a_command() -> None:
    slow_one = session("slow")
    call = of(Called, slow_one)[0]
    back = [(r.failed, r.code, r.text) for r in of(Returned, slow_one) if r.id == call.id]
    assert back == [(False, None, ""), (True, 4, "late\n")]


def test_a_compaction() -> None:
    whole = session("compacted")
    assert len(of(Compacted, whole)) == 1
    assert talk(whole) == [(True, "fill the window"), (False, "Done.")]
    contexts = [spent.context for spent in of(Spent, whole)]
    assert contexts == [1030, 250_031, 250_133, 1232]


# Rollouts of older versions ------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted({*NAMES} - {"killed", "revived", "forked"}))
def test_running_totals_tell_the_same(name: str) -> None:
    found = once(spent for path in files(name) for spent in fast(older(lines(path))))
    assert counts(found) == stated(wire(name))


def test_running_totals_miss_what_they_were_killed_before() -> None:
    (path,) = files("killed")
    assert counts(fast(older(lines(path)))) == stated(wire("killed")[:1])


def test_a_fork_that_copied_its_history_is_counted_once() -> None:
    first, second, third, _ = files("forked")

    def own(path: Path) -> list[bytes]:
        return [re.sub(rb'"history_base":\{[^}]*\},', b"", line) for line in older(lines(path))]

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
    given = lines(path)
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


META = record("session_meta", {"id": "s", "cli_version": "0.60.0"})


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


# Files ---------------------------------------------------------------------------------------


def test_where_they_lie(tmp_path: Path) -> None:
    home = tmp_path / ".codex"
    assert roots({"HOME": str(tmp_path)}) == (home / "sessions", home / "archived_sessions")
    assert list(find({"HOME": str(tmp_path)})) == []
    day = home / "sessions/2026/11/22"
    day.mkdir(parents=True)
    (home / "archived_sessions").mkdir()
    private = tmp_path / "private"
    (private / "sessions").mkdir(parents=True)
    kept = [
        day / "rollout-1.jsonl",
        day / "rollout-2.jsonl.zst",
        home / "archived_sessions/rollout-3.jsonl.gz",
        private / "sessions/rollout-4.jsonl",
    ]
    others = [day / "notes.jsonl", day / "rollout-5.json", private / "rollout-6.jsonl"]
    for path in (*kept, *others):
        path.write_bytes(b"")
    (day / "rollout-7.jsonl").mkdir()
    os.mkfifo(day / "rollout-8.jsonl")
    assert list(find({"CODEX_HOME": str(home)}, [private, private, tmp_path / "none"])) == kept


def test_no_link_is_followed(tmp_path: Path, opened: list[str]) -> None:
    day = tmp_path / "sessions/2026/11/22"
    day.mkdir(parents=True)
    secret = tmp_path / "secret"
    secret.mkdir()
    parent = shutil.copy(files("subagents")[0], day)
    for number, path in enumerate(files("subagents")[1:]):
        outside = secret / path.name
        shutil.copy(path, outside)
        (day / path.name).symlink_to(outside)
        (tmp_path / f"sessions/2026/11/{number}").symlink_to(secret)
    (day / "loop").symlink_to(tmp_path / "sessions")
    opened.clear()
    assert list(find({"CODEX_HOME": str(tmp_path)})) == [Path(parent)]
    assert children(Path(parent)) == []
    assert read(Path(parent)).children == ()
    assert not [name for name in opened if "secret" in name]


def test_no_name_in_a_record_is_opened(tmp_path: Path, opened: list[str]) -> None:
    day = tmp_path / "sessions/2026/11/22"
    day.mkdir(parents=True)
    away = "../../../../../etc/passwd\0"
    path = day / "rollout-2026-11-22T00-00-00-x.jsonl"
    meta = {"id": away, "parent_thread_id": away, "forked_from_id": away, "cwd": away}
    item = {"type": "CollabAgentToolCall", "id": "c", "receiver_thread_ids": [away]}
    path.write_bytes(
        record("session_meta", {**meta, "history_base": {"thread_id": away}, "rollout_path": away})
        + record("event_msg", {"type": "item_completed", "item": item})
    )
    # It says that it is its own parent, and so does another.
    shutil.copy(path, day / "rollout-2026-11-22T00-00-01-y.jsonl")
    opened.clear()
    transcript = read(path)
    assert transcript.session == transcript.parent == away
    assert transcript.children == ()
    assert {Path(name).resolve().parent for name in opened} <= {day, day.parent}


def test_a_cycle_of_parents_ends(tmp_path: Path) -> None:
    day = tmp_path / "sessions/2026/11/22"
    day.mkdir(parents=True)
    for number in range(4):
        ids = {"id": f"s{number}", "parent_thread_id": f"s{(number - 1) % 4}"}
        path = day / f"rollout-2026-11-22T00-00-0{number}-s{number}.jsonl"
        path.write_bytes(record("session_meta", ids))
    transcript = read(day / "rollout-2026-11-22T00-00-00-s0.jsonl")
    seen = []
    while transcript.children:
        (transcript,) = transcript.children
        seen.append(transcript.session)
    assert seen == ["s1", "s2", "s3"]


def test_compressed_records(tmp_path: Path) -> None:
    (path,) = files("plain")
    packed = tmp_path / f"{path.name}.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    with open_record(packed) as file:
        assert file.read() == path.read_bytes()
    assert read(packed).events == read(path).events
    packed.write_bytes(packed.read_bytes()[:-2000])
    torn = read(packed)
    assert torn.events == read(path).events[: len(torn.events)]
    assert "cannot be read beyond line" in torn.warnings[0]
    packed.write_bytes(b"no gzip")
    assert len(read(packed).warnings) == 1


def test_the_compression_of_codex_itself(tmp_path: Path) -> None:
    (path,) = files("plain")
    packed = tmp_path / f"{path.name}.zst"
    subprocess.run(["zstd", "-q", str(path), "-o", str(packed)], check=True)
    if sys.version_info >= (3, 14):
        assert read(packed).events == read(path).events
    else:
        with pytest.raises(OSError, match=r"Python 3\.14"):
            open_record(packed)
        assert "Python 3.14" in read(packed).warnings[0]


def test_a_file_that_is_gone(tmp_path: Path) -> None:
    gone = read(tmp_path / "rollout-x.jsonl")
    assert gone.events == ()
    assert len(gone.warnings) == 1
    assert children(tmp_path / "rollout-x.jsonl") == []


# Damage --------------------------------------------------------------------------------------


def test_while_it_is_written(tmp_path: Path) -> None:
    """A torn last line is normal: no warning, and nothing of it counts yet."""
    (path,) = files("plain")
    given = path.read_bytes()
    marks = [given.index(b'"token_usage_record"') + n for n in (0, 30, 300)]
    for cut in marks:
        copy = tmp_path / path.name
        copy.write_bytes(given[:cut])
        torn = read(copy)
        assert (torn.skipped, torn.warnings, of(Spent, torn)) == (1, (), [])


def test_a_record_that_is_lost_is_made_up_for() -> None:
    """Its running total tells, in the same file and in the next record."""
    (path,) = files("plain")
    given = lines(path)
    for number, line in enumerate(given):
        if b'"type":"token_usage_record"' in line:
            spending = Spending(path)
            spent = fast([*given[:number], line[:200] + b"\n", *given[number + 1 :]], spending)
            assert counts(spent) == stated(wire("plain"))
            assert spending.skipped == 1
            assert spending.warnings
    without = [line for line in given if b'"token_count"' not in line]
    stating = [n for n, line in enumerate(without) if b'"type":"token_usage_record"' in line]
    del without[stating[3]]
    spending = Spending(path)
    total = [sum(column) for column in list(zip(*counts(fast(without, spending)), strict=True))[1:]]
    assert total == [sum(column) for column in list(zip(*stated(wire("plain")), strict=True))[1:]]
    assert spending.warnings == [MISSING]


def test_a_number_that_is_wrong_is_told() -> None:
    (path,) = files("plain")
    spending = Spending(path)
    wrong = [
        line.replace(b'"usage":{"input_tokens":13', b'"usage":{"input_tokens":93')
        for line in lines(path)
    ]
    assert counts(fast(wrong, spending)) != stated(wire("plain"))
    assert spending.warnings == ["a request's usage does not fit its total"]


def test_a_line_that_goes_on_behind_a_torn_one() -> None:
    (path,) = files("resumed")
    given = lines(path)
    half = next(n for n, line in enumerate(given) if b'"type":"token_usage_record"' in line)
    joined = [*given[:half], given[half - 1][:50] + given[half], *given[half + 1 :]]
    events = Events(path)
    assert counts(e for e in slow(joined, events) if isinstance(e, Spent)) == stated(
        wire("resumed")
    )
    assert events.warnings == ["a line was torn"]


def test_records_of_another_session_are_told() -> None:
    (one,), (other,) = files("plain"), files("quota")
    spending = Spending(one)
    fast([*lines(one), *lines(other)[1:]], spending)
    assert spending.warnings == ["it has records of another session"]


def test_long_texts_are_cut(tmp_path: Path) -> None:
    text = "a" * 5_000_000 + "\0end"
    item = {"type": "AgentMessage", "content": [{"type": "Text", "text": text}]}
    call = {"type": "function_call_output", "call_id": "c", "output": text}
    path = tmp_path / "rollout-x.jsonl"
    path.write_bytes(
        META
        + record("event_msg", {"type": "item_completed", "item": item})
        + record("response_item", call)
    )
    _, said, returned = read(path).events
    for event in (said, returned):
        assert 2 * KEPT < len(event.text) < 2 * KEPT + 100
        assert event.text.endswith("\N{REPLACEMENT CHARACTER}end")
    assert returned.size == len(text)


def test_a_line_beyond_all_measure_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "rollout-x.jsonl"
    with path.open("wb") as file:
        file.write(META + b'{"timestamp":"')
        for _ in range(80):
            file.write(b"x" * 2**20)
        file.write(b'"}\n' + record("event_msg", {"type": "user_message", "message": "on"}))
    tracemalloc.start()
    whole = read(path)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert talk(whole) == [(True, "on")]
    assert whole.warnings == ("line 2 is longer than 64 MiB: left out",)
    assert most < 200e6


def base() -> bytes:
    return b"".join(b"".join(lines(path)) for path in files("code_mode"))


BASE = base()
OTHER = lines(files("subagents")[2])
USED = stated(wire("code_mode"))
HOSTILE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
FIELDS = (
    *("type", "item", "id", "call_id", "name", "namespace", "arguments", "input", "output"),
    *("usage", "thread_token_usage", "info", "total_token_usage", "last_token_usage", "content"),
    *("source", "git", "error", "reason", "message", "changes", "command", "plan", "action"),
    *("thread_id", "turn_id", "response_id", "receiver_thread_ids", "result", "exit_code"),
)


def survives(given: bytes) -> None:
    """Neither reader raises, and they agree."""
    spending, events = Spending(ANY), Events(ANY)
    parts = given.splitlines(keepends=True)
    told = slow(parts, events)
    found = [spent for line in parts for spent in spending.feed(line)]
    assert [e for e in told if isinstance(e, Spent)] == found
    assert set(spending.warnings) <= set(events.warnings)
    repr(told).encode()  # there is nothing in it that cannot be written down
    if "".join(spending.warnings) == "":
        for spent in found:
            assert spent.input_tokens >= 0
            assert spent.output_tokens >= 0


quickly = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None
)


@quickly
@given(st.integers(0, len(BASE)))
def test_truncated(cut: int) -> None:
    spending = Spending(ANY)
    given = BASE[:cut].splitlines(keepends=True)
    survives(BASE[:cut])
    assert not set(counts(fast(given, spending))) - set(USED)
    assert spending.warnings == []


@quickly
@given(st.lists(st.tuples(st.integers(0, len(BASE) - 1), st.integers(0, 255)), max_size=30))
def test_corrupted(changes: list[tuple[int, int]]) -> None:
    given = bytearray(BASE)
    for place, byte in changes:
        given[place] = byte
    survives(bytes(given))


@quickly
@given(st.randoms(use_true_random=False))
def test_interleaved(chance: Any) -> None:
    mixed = [*BASE.splitlines(keepends=True), *OTHER]
    order = sorted(range(len(mixed)), key=lambda _: chance.random())
    survives(b"".join(mixed[place] for place in order))


@quickly
@given(
    st.sampled_from(list(BASE.splitlines())),
    st.lists(st.tuples(st.sampled_from(FIELDS), HOSTILE), min_size=1, max_size=4),
)
def test_hostile_values(line: bytes, changes: list[tuple[str, Any]]) -> None:
    value = json.loads(line)
    places = [value, value["payload"], value["payload"].get("item"), value["payload"].get("info")]
    for name, what in changes:
        for place in places:
            if isinstance(place, dict) and name in place:
                place[name] = what
    survives(META + json.dumps(value).encode() + b"\n" + BASE[-5000:])


@quickly
@given(st.binary(max_size=400))
def test_anything(given: bytes) -> None:
    survives(given)


@pytest.mark.parametrize(
    "line",
    [
        b'{"type":"event_msg","payload":' + b"[" * 200_000 + b"\n",
        b'{"type":"event_msg","payload":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}\n",
        rb'{"type":"\ud800","payload":' + b"[" * 200_000 + b"\n",
        rb'{"type":"event_msg","payload":{"type":"user_message","message":"\ud83d half"}}' + b"\n",
        b'{"type":"event_msg","payload":{"type":"user_message","message":"\xff\xfe"}}\n',
        b"\0" * 1000 + b"\n",
        b'{"type":"token_usage_record","payload":{"usage":{"input_tokens":1e999}}}\n',
        b'{"type":"token_usage_record","payload":{"usage":{"input_tokens":-5}}}\n',
        b'{"type":"token_usage_record","payload":{"usage":{"input_tokens":' + b"9" * 400 + b"}}}\n",
        b'{"type":"token_usage_record","payload":{"usage":{"input_tokens":true}}}\n',
        b'[{"type":"token_count"}]\n',
        b'"token_count"\n',
    ],
)
def test_odd_lines(line: bytes) -> None:
    survives(META + line + BASE[-5000:])
    events = Events(ANY)
    slow([line], events)
    marked = any(mark in line for mark in MARKS)
    assert events.skipped == (0 if b"half" in line else 1)
    assert bool(events.warnings) is marked


def test_the_names_of_the_seam() -> None:
    assert set(records.__all__) >= {"MARKS", "Events", "Spending", "children", "find", "read"}
    assert records_lines.open_record is open_record
