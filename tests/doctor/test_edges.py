"""Forks, compaction, figures that are missing, and transcripts that make no sense."""

import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abreast.doctor.check import OF_A_SESSION, OF_SESSIONS, examine
from abreast.doctor.context import CORRECTING, corrections, past_fill
from abreast.doctor.examined import (
    BriefingFile,
    ExaminedDelegation,
    ExaminedSession,
    Touch,
    Work,
    delegations_of,
    work_of,
)
from abreast.doctor.over_delegation import below_break_even, child_per_file
from abreast.doctor.side_by_side import invalidated, same_files
from abreast.doctor.under_delegation import SHAPES, no_shape, read_again, read_alone
from abreast.model.economy import Account
from abreast.model.transcript import (
    Begun,
    Called,
    Compacted,
    Returned,
    Said,
    Spent,
    ToolKind,
    Transcript,
)


def spent(name: str, tokens: int, output: int = 10) -> Spent:
    return Spent(1.0, name, "m", tokens, 0, output)


@pytest.mark.parametrize("first", ["00000000", "ffffffff"])  # sorted before the original, or after
def test_a_fork_is_not_blamed_for_what_it_copied(first, home, diagnose):
    name = f"{first}-0000-4000-8000-000000000000"
    place = home("claude-corrections")
    [file] = place.rglob("*.jsonl")
    old = file.stem
    said = f'"forkedFrom":{{"sessionId":"{old}"}},"sessionId":"{name}"'
    text = file.read_text().replace(f'"sessionId":"{old}"', said)
    assert name in text
    file.with_name(f"{name}.jsonl").write_text(text)
    found = diagnose(place)
    assert found.sessions == 2
    [finding] = found.findings
    assert [one.session for one in finding.evidence] == [old]


def test_a_copy_of_a_session_for_another_folder_is_that_session(home, diagnose):
    place = home("claude-invalidated")
    [first, second] = sorted(place.rglob("*.jsonl"))
    other = first.parent.with_name("-another-folder")
    other.mkdir()
    (other / first.name).write_bytes(first.read_bytes())
    second.unlink()
    assert diagnose(place).findings == ()
    place = home("claude-corrections")
    [file] = place.rglob("*.jsonl")
    other = file.parent.with_name("-another-folder")
    other.mkdir()
    (other / file.name).write_bytes(file.read_bytes())
    [finding] = diagnose(place).findings
    assert len(finding.evidence) == 1


def test_a_repeated_record_counts_once():
    events = tuple(spent("same", 120_000) for _ in range(9))
    assert list(past_fill(ExaminedSession(Transcript("codex", "", "s", events)))) == []


def test_reading_that_was_compacted_away_did_not_stay():
    read = Called(1.0, "c", ToolKind.READ, "Read", paths=("a",))
    later = tuple(spent(f"l{n}", 60_000) for n in range(3))
    turn = (Said(1.0, True, "where?"), spent("1", 9_000), read, Returned(1.0, "c", size=9))
    turn = (*turn, spent("2", 50_000), Said(1.0, False, "There."))
    more = Said(1.0, True, "go on")
    case = ExaminedSession(Transcript("codex", "", "s", (*turn, more, *later)))
    assert len(list(read_alone(case))) == 1
    case = ExaminedSession(Transcript("codex", "", "s", (*turn, more, Compacted(1.0), *later)))
    assert list(read_alone(case)) == []


def test_children_whose_tokens_are_not_known_are_not_judged():
    unknown = ExaminedDelegation("c", Account(None, None, None, 9_000))
    assert (
        list(below_break_even(ExaminedSession(Transcript("gemini", "", "s"), (unknown,) * 3))) == []
    )


def test_children_that_were_asked_different_things_are_not_one_question():
    account = Account(9_000, 20_000, 20_000, 10)
    questions = ("Who calls it?", "Write a test plan for this module", "Is there a race in here?")
    asked = tuple(
        ExaminedDelegation(str(n), account, question=text, read={f"/{n}.py": 9})
        for n, text in enumerate(questions)
    )
    assert list(child_per_file(ExaminedSession(Transcript("claude", "", "s"), asked))) == []


def test_a_subagent_that_the_cli_runs_for_itself_is_no_delegation():
    """Claude Code compacts in one: it begins with all of the parent's context."""
    compacting = Transcript("claude", "", "acompact-1", (spent("1", 150_000), spent("2", 151_000)))
    parent = Transcript("claude", "", "s", (spent("p", 150_000), Compacted(1.0)), (compacting,))
    assert delegations_of(parent) == ()


def test_reading_what_was_later_edited_was_needed():
    turn = (Said(1.0, True, "where?"), spent("1", 9_000), _call("c", ToolKind.READ, "a"))
    turn = (*turn, Returned(1.0, "c", size=120_000), spent("2", 45_000), Said(1.0, False, "There."))
    more = (Said(1.0, True, "change it"), *(spent(f"l{n}", 45_000) for n in range(3)))
    case = ExaminedSession(Transcript("codex", "", "s", (*turn, *more)))
    assert len(list(read_alone(case))) == 1
    edit = _call("e", ToolKind.WRITE, "a")
    assert (
        list(read_alone(ExaminedSession(Transcript("codex", "", "s", (*turn, *more, edit))))) == []
    )


def _call(name: str, kind: ToolKind, *paths: str) -> Called:
    return Called(1.0, name, kind, "tool", paths=paths)


@pytest.mark.parametrize(
    ("read", "between", "found"),
    [
        (12_000, (), True),
        (40_000, (), False),  # the few places that matter, of much
        (12_000, (Said(3.0, True, "now the next thing"),), False),
    ],
)
def test_to_read_again_is_a_fault_where_the_answer_should_have_done(read, between, found):
    child = Transcript(
        *("claude", "", "kid", (_call("k", ToolKind.READ, "a", "b"), Returned(1.0, "k", size=read)))
    )
    asked = Called(1.0, "x", ToolKind.DELEGATE, "Agent", child="kid")
    answered = Returned(2.0, "x", size=40, child="kid")
    back = (_call("y", ToolKind.READ, "a"), Returned(3.0, "y", size=12_000))
    parent = Transcript("claude", "", "s", (asked, answered, *between, *back), (child,))
    assert bool([*read_again(ExaminedSession(parent, delegations_of(parent)))]) is found


def test_a_long_session_that_was_full_at_its_end_did_its_work_below():
    full = [spent(f"f{n}", 120_000) for n in range(5)]
    low = [spent(f"l{n}", 60_000) for n in range(60)]
    assert list(past_fill(ExaminedSession(Transcript("claude", "", "s", (*low, *full))))) == []
    assert (
        len(list(past_fill(ExaminedSession(Transcript("claude", "", "s", (*low[:30], *full))))))
        == 1
    )


def test_a_no_to_a_question_corrects_nothing():
    asked = [Said(1.0, False, "Shall I update the docs as well?"), Said(1.0, True, "No, leave it.")]
    said = [Said(1.0, False, "Done."), Said(1.0, True, "No, leave it.")]
    for more, found in ((asked, 0), (said, 1)):
        events = (Said(1.0, True, "go"), *more * 3)
        assert (
            len(list(corrections(ExaminedSession(Transcript("claude", "", "s", events))))) == found
        )


def test_of_a_question_in_another_language_no_shape_is_missed():
    account = Account(9_000, 20_000, 20_000, 10)
    for text, found in (("Look into the modules", 1), ("Schau dir die Module an", 0)):
        asked = ExaminedDelegation("1", account, returned=900, question=text)
        assert (
            len(list(no_shape(ExaminedSession(Transcript("claude", "", "s"), (asked,))))) == found
        )


def _work(name: str, *touches: tuple[str, float, bool], **more) -> Work:
    made: dict[str, tuple[Touch, ...]] = {}
    for file, at, wrote in touches:
        made[file] = (*made.get(file, ()), Touch(at, wrote, 0 if wrote else 50))
    values = {"begun": 0.0, "last": 90_000.0, "repo": "/r/.git", "top": "/r"} | more
    return Work("claude", name, touches=made, **values)


def test_files_outside_of_the_repository_are_no_common_work():
    both = [_work(name, ("/home/me/.claude/memory.md", 60.0, True)) for name in "ab"]
    assert list(same_files(both)) == []
    assert list(same_files([_work(name, ("a.py", 60.0, True)) for name in "ab"])) != []


def test_what_changed_hours_before_it_was_read_again_invalidated_nothing():
    writer = _work("w", ("a.py", 4_000.0, True))
    for again, found in ((5_000.0, 1), (30_000.0, 0)):
        reader = _work("r", ("a.py", 3_000.0, False), ("a.py", again, False))
        assert len(list(invalidated([reader, writer]))) == found


def test_a_fork_begins_when_it_was_taken():
    old = Transcript("claude", "", "old", (Said(10.0, True, "go"),), begun=10.0, last=50.0)
    own = (Begun(10.0, "new", forked_from="old"), Said(60.0, True, "go on"))
    fork = Transcript("claude", "", "new", own, begun=10.0, last=90.0)
    assert not work_of(old, "/r/.git", "/r").beside(work_of(fork, "/r/.git", "/r"))


def test_many_sessions_that_read_the_same_files_take_no_time():
    names = [f"{n}.py" for n in range(60)]
    works = [_work(str(n), *((name, 60.0 * n, False) for name in names)) for n in range(600)]
    begun = time.process_time()
    assert [*same_files(works), *invalidated(works)] == []
    assert time.process_time() - begun < 2


CORRECT = """no, the other one|No. Stop.|That's wrong|still failing|you forgot the test
I said no mocks|it doesn't work|Undo that|not what I meant|wait, no"""
GO_ON = """no problem, go on|Now add a test|nothing else|note the date|stopwatch please
Is it wrong?|you can go on|northern lights|waiting list next|/compact|No arquivo a.py muda o nome
Stop the server, then test|Revert 1a2b3c4 on main"""


@pytest.mark.parametrize("said", CORRECT.replace("\n", "|").split("|"))
def test_turns_that_correct(said):
    assert CORRECTING.match(said)


@pytest.mark.parametrize("said", GO_ON.replace("\n", "|").split("|"))
def test_turns_that_do_not(said):
    assert not CORRECTING.match(said)


def test_a_first_prompt_corrects_nothing():
    turns = [Said(float(n), True, "No, wrong") for n in range(4)]
    [found] = corrections(ExaminedSession(Transcript("claude", "", "s", tuple(turns))))
    assert found.numbers == {"rounds": 3}  # nothing is known of what they cost
    assert found.tokens is None


@pytest.mark.parametrize(
    "question",
    ["Answer yes or no: is it used?", "Return JSON", "List the callers", "in one line", "briefly"],
)
def test_questions_that_declare_a_shape(question):
    assert SHAPES.search(question)


def test_a_child_is_found_by_whichever_end_names_it():
    child = Transcript("codex", "", "kid", (spent("1", 9_000), Said(1.0, False, "Done.")))
    events = (
        Called(1.0, "x", ToolKind.DELEGATE, "spawn_agent"),
        Returned(2.0, "x", size=40, child="kid"),
        Called(3.0, "y", ToolKind.OTHER, "wait_agent"),
        Returned(4.0, "y", size=400, child="kid"),
    )
    [found] = delegations_of(Transcript("codex", "", "s", events, (child,)))
    assert (found.asked, found.answered, found.account.summary) == (0, 3, 110)


EVENTS = st.one_of(
    st.builds(Begun, st.floats(0, 9), st.text(max_size=3)),
    st.builds(
        Spent,
        st.floats(0, 9),
        st.sampled_from("abc"),
        st.just("m"),
        st.integers(0, 200_000),
        st.just(0),
        st.integers(0, 9_000),
    ),
    st.builds(Said, st.floats(0, 9), st.booleans(), st.sampled_from(["", "no", "x " * 2_000])),
    st.builds(
        Called,
        st.floats(0, 9),
        st.sampled_from("xyz"),
        st.sampled_from(ToolKind),
        st.just("t"),
        paths=st.lists(st.sampled_from(["a", "../b", "/c", ""]), max_size=2).map(tuple),
        child=st.sampled_from(["", "kid"]),
    ),
    st.builds(
        Returned,
        st.floats(0, 9),
        st.sampled_from("xyz"),
        failed=st.booleans(),
        size=st.integers(0, 90_000),
        text=st.sampled_from(["", "x " * 2_000]),
        child=st.sampled_from(["", "kid"]),
    ),
    st.builds(Compacted, st.floats(0, 9)),
)


@given(st.lists(EVENTS, max_size=30), st.lists(EVENTS, max_size=8))
def test_no_transcript_makes_it_fail(events, below):
    child = Transcript("claude", "", "kid", tuple(below), cwd="/repo")
    parent = Transcript("claude", "", "s", tuple(events), (child,), cwd="/repo")
    case = ExaminedSession(parent, delegations_of(parent), (BriefingFile("/repo/CLAUDE.md", 900),))
    works = [work_of(parent, "/repo/.git", "/repo"), work_of(child, "/repo/.git", "/repo")]
    for name, one in [*examine(OF_A_SESSION, case), *examine(OF_SESSIONS, works)]:
        assert name
        assert one.text
        assert one.tokens is None or one.tokens >= 0
    assert replace(case) == case
