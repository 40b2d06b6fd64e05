"""Rollouts of the real Codex CLI, against what the model server stated (record_codex.py)."""

import json
from pathlib import Path

import pytest

from abreast.agents.codex import records
from abreast.agents.codex.records import (
    Events,
    Spending,
    children,
    read,
)
from abreast.agents.codex.records_calls import Open, returned
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
)
from tests.agents.codex.reading import (
    NAMES,
    counts,
    fast,
    files,
    once,
    session,
    slow,
    stated,
    wire,
)
from tests.recordings.record_codex import PLACE
from tests.support.transcripts import lines_of, of, shape, talk


@pytest.mark.parametrize("name", NAMES)
def test_totals_are_those_of_the_wire(name: str) -> None:
    found = once(spent for path in files(name) for spent in fast(lines_of(path)))
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
        given = lines_of(path)
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
        for line in lines_of(files("code_mode")[0])
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


def test_the_names_of_the_seam() -> None:
    assert set(records.__all__) >= {"MARKS", "Events", "Spending", "children", "scan", "read"}


@pytest.mark.parametrize(
    ("output", "refused"),
    [
        ('exec_command failed for `/bin/bash -lc "x"`: CreateProcess { message: "no" }', True),
        ("tool call error: shell requires approval, but approval policy is never", True),
        ("exec command rejected by user", True),
        ("unsupported call: exec_command", True),
        ("aborted by user after 3.2s", False),
        ("Process exited with code 1\nOutput:\nrejected by user\n", False),
        ("Process exited with code 0\nOutput:\nok\n", False),
    ],
)
def test_a_command_that_never_began_was_refused(output: str, refused: bool) -> None:
    back = returned(0.0, {"call_id": "c", "output": output}, Open(ToolKind.SHELL))
    assert back.refused is refused
