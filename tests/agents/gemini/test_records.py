"""Transcripts of the real Gemini CLI, against what the model server stated (record_gemini.py)."""

from pathlib import Path

import pytest

from abreast.agents.gemini import records
from abreast.agents.gemini.records import children, read
from abreast.agents.parts import Records
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
from tests.agents.gemini.reading import (
    CUT_OFF,
    NAMES,
    SUMMARY_COST,
    counts,
    fast,
    files,
    session,
    slow,
    wire,
)
from tests.recordings.record_gemini import PLACE, RECORDINGS, record, session_id
from tests.support.transcripts import finder, of, shape, talk

find = finder(records)


@pytest.mark.parametrize("name", NAMES)
def test_totals_are_those_of_the_wire(name: str) -> None:
    """However often a request is on record, in however many files."""
    found = {s.id: s for path in files(name) for s in fast(path.read_bytes().splitlines(True))}
    assert counts(found.values()) == counts(wire(name))
    assert all(spent.written_tokens == 0 and spent.cost_usd is None for spent in found.values())


@pytest.mark.parametrize("name", NAMES)
def test_both_ways_to_read_agree(name: str) -> None:
    for path in files(name):
        lines = path.read_bytes().splitlines(keepends=True)
        assert [e for e in slow(lines) if isinstance(e, Spent)] == fast(lines)
        # An index goes on where it was, with a reader that knows nothing of what came before.
        apart = [spent for line in lines for spent in fast([line])]
        assert {s.id: s for s in apart} == {s.id: s for s in fast(lines)}


@pytest.mark.parametrize("name", NAMES)
def test_nothing_of_the_real_ones_is_unknown(name: str) -> None:
    for transcript in map(read, files(name)):
        assert transcript.skipped == 0
        assert transcript.agent == "gemini"
        assert transcript.cwd == str(PLACE / "work")
        assert 0 < transcript.begun <= transcript.last
        assert set(transcript.warnings) <= {SUMMARY_COST}


def test_a_plain_session() -> None:
    plain = session("plain")
    assert plain.session == session_id("plain")
    assert plain.events[0] == Begun(plain.begun, plain.session, str(PLACE / "work"))
    test = "python3 test_app.py"
    assert shape(plain) == [
        (ToolKind.READ, "app.py", ("app.py",), False, None),
        (ToolKind.SEARCH, "greet", (), False, None),
        (ToolKind.SHELL, test, (), True, 1),
        (ToolKind.WRITE, "app.py", ("app.py",), False, None),
        (ToolKind.WRITE, "NOTES.md", ("NOTES.md",), False, None),
        (ToolKind.SHELL, f"{test} && echo all is well", (), False, 0),
        (ToolKind.READ, "missing.py", ("missing.py",), True, None),
    ]
    assert talk(plain) == [
        (True, "Make the greeting polite. [PLAIN]"),
        (False, "I look first."),
        (False, "The greeting is wrong."),
        (False, "The greeting is polite now.\n\nShall I add a changelog entry?"),
    ]
    failed = of(Returned, plain)[2]
    assert "AssertionError: hello Ada" in failed.text
    assert failed.size == len(failed.text)
    assert counts(of(Spent, plain)) == counts(wire("plain"))
    assert plain.children == () == plain.warnings
    assert of(Broken, plain) == []
    # In the order of the record: a request, what it said, its call, what that returned.
    assert [type(event) for event in plain.events[:6]] == [
        *(Begun, Said, Spent, Said, Called, Returned)
    ]
    stamps = [event.at for event in plain.events]
    assert stamps == sorted(stamps)


def test_subagents_are_children() -> None:
    parent = session("subagents")
    stated = wire("subagents")
    by = {
        key: [one for one in stated if one["scenario"] == key]
        for key in RECORDINGS["subagents"].plays
    }
    assert counts(of(Spent, parent)) == counts(by["[PARENT]"])
    asked = {event.subject: event for event in of(Called, parent)}
    assert {event.kind for event in asked.values()} == {ToolKind.DELEGATE}
    children_of = {child.session: child for child in parent.children}
    assert len(children_of) == 2
    for key, prompt, answer in (
        ("[CHILD-A]", "Find it. [CHILD-A]", "greet() in app.py:1 greets."),
        ("[CHILD-B]", "Check it. [CHILD-B]", "It does."),
    ):
        child = children_of[asked[prompt].child]
        assert child.parent == parent.session
        assert counts(of(Spent, child)) == counts(by[key])
        assert talk(child) == [(True, prompt), (False, answer)]
        assert child.children == ()
        (back,) = [e for e in of(Returned, parent) if e.child == child.session]
        assert not back.failed
        assert answer in back.text
    assert (ToolKind.SHELL, "exit 7", (), True, 7) in shape(
        children_of[asked["Check it. [CHILD-B]"].child]
    )
    (path,) = [p for p in files("subagents") if p.parent.name == "chats"]
    assert sorted(map(str, children(path))) == sorted(child.path for child in parent.children)
    assert [children(child) for child in children(path)] == [[], []]


def test_a_resumed_session_is_one() -> None:
    resumed = session("resumed")
    assert talk(resumed) == [
        (True, "Read the code. [FIRST]"),
        (False, "Read."),
        (True, "Now test it. [SECOND]"),
        (False, "It fails."),
    ]
    assert [event.subject for event in of(Called, resumed)] == ["app.py", "python3 test_app.py"]
    assert len(of(Begun, resumed)) == 1
    assert counts(of(Spent, resumed)) == counts(wire("resumed"))
    assert of(Broken, resumed) == [] == of(Compacted, resumed)


def test_an_imported_session_tells_where_from() -> None:
    by_origin = {t.events[0].forked_from: t for t in map(read, files("forked")) if of(Spent, t)}
    first, fork = by_origin[""], by_origin[session_id("forked")]
    assert first.session == session_id("forked") != fork.session
    assert {s.id for s in of(Spent, first)} < {s.id for s in of(Spent, fork)}
    assert talk(fork)[:2] == talk(first)
    assert of(Compacted, fork) == [] == of(Broken, fork)


def test_a_killed_session_has_what_was_written() -> None:
    killed = session("killed")
    assert talk(killed)[-1] == (False, "Now the long one.")
    assert [event.subject for event in of(Called, killed)] == ["echo one"]
    assert counts(of(Spent, killed)) == counts(wire("killed"))


def test_a_request_without_an_answer_is_told() -> None:
    cut = session("cut")
    assert cut.events[-1] == Broken(cut.last, CUT_OFF)
    assert len(of(Broken, cut)) == 1


def test_refused_requests_are_told() -> None:
    refused = session("refused")
    reasons = [event.reason for event in of(Broken, refused)]
    assert reasons == [CUT_OFF, "the request failed or was cancelled, and the CLI took it back"]
    assert talk(refused)[-1] == (True, "Try again. [AGAIN]")


def test_a_compaction_says_nothing_again() -> None:
    compacted = session("compacted")
    assert talk(compacted) == [
        (True, "Read the long one. [FIRST]"),
        (False, "Long."),
        (True, "Go on. [SECOND]"),
        (False, "Shorter."),
    ]
    assert len(of(Compacted, compacted)) == 2
    assert compacted.warnings == (SUMMARY_COST,)
    assert of(Broken, compacted) == []


def test_the_todo_list() -> None:
    todos = session("todos")
    assert [event.items for event in of(Planned, todos)] == [
        (("step 0", False), ("step 1", False)),
        (("step 0", True), ("step 1", False)),
    ]
    assert [event.kind for event in of(Called, todos)].count(ToolKind.PLAN) == 2


@pytest.mark.clis
def test_the_cli_still_writes_so(tmp_path: Path) -> None:
    new = record("subagents", tmp_path)
    (path,) = [p for p in find({}, [new]) if p.parent.name == "chats"]
    now, then = read(path), session("subagents")
    assert (shape(now), talk(now)) == (shape(then), talk(then))
    assert counts(of(Spent, now)) == counts(of(Spent, then))
    assert sorted(map(talk, now.children)) == sorted(map(talk, then.children))
    assert (now.skipped, now.warnings) == (0, ())


def test_the_seam_is_whole() -> None:
    assert set(records.__all__) == {n for n in vars(Records) if n[0] != "_"} | {"MARKS"}
