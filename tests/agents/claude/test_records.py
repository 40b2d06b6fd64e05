"""Transcripts of the real Claude Code, against what the model server stated (record_claude.py)."""

from pathlib import Path
from typing import Any

import pytest

from abreast.agents.claude.records import Events, children, read
from abreast.agents.claude.records_calls import called
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
from tests.agents.claude.reading import (
    FIXTURES,
    NAMES,
    SESSION,
    WORK,
    counts,
    everybody,
    fast,
    files,
    line,
    reply,
    session,
    session_id,
    shape,
    slow,
    wire,
    write,
)
from tests.recordings.record_claude import record
from tests.support.transcripts import lines_of, of, talk


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


@pytest.mark.parametrize(
    ("name", "given", "subject"),
    [
        ("AskUserQuestion", {"questions": [{"question": "Which?"}, {"question": "When?"}]}, None),
        ("ExitPlanMode", {"plan": "1. Split it"}, "Is this plan approved? 1. Split it"),
        ("AskUserQuestion", {"questions": "Which?"}, "questions=Which?"),  # as it never is
    ],
)
def test_what_the_user_is_asked_by_a_tool(name, given, subject):
    found = called(1.0, {"id": "1", "name": name, "input": given})
    assert (found.kind, found.subject) == (ToolKind.ASK, subject or "Which? When?")
