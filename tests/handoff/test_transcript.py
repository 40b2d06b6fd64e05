"""What a transcript is said to tell, against what was done when it was recorded."""

from dataclasses import replace

import pytest

from abreast.handoff.questions import questions_in
from abreast.handoff.transcript import End, telling_line, transcript_facts
from abreast.model.transcript import (
    Broken,
    Called,
    Compacted,
    Planned,
    Returned,
    ToolKind,
)
from tests.support.handoffs import agent, ran, recorded, session, sessions, user

_POLITE = "python3 test_app.py && echo all is well"


@pytest.mark.parametrize(
    ("cli", "failing", "passing"),
    [
        ("claude", ("exit 7", 7, ""), _POLITE),
        ("codex", ("echo '1 failed'; exit 3", 3, "1 failed"), "echo '1 passed'"),
        ("gemini", ("python3 test_app.py", 1, "AssertionError: hello Ada"), _POLITE),
    ],
)
def test_the_last_failing_and_the_last_passing_command(cli, failing, passing):
    facts = transcript_facts(recorded(cli, "plain"))
    last = facts.last_failing
    assert (last.command, last.code, last.said) == failing
    assert facts.last_passing.command == passing
    assert facts.last_passing.code == 0


@pytest.mark.parametrize("cli", ["claude", "gemini"])
def test_a_test_that_passes_now_is_known_to(cli):
    facts = transcript_facts(recorded(cli, "plain"))
    first = facts.ran[0]
    assert (first.command, first.code) == ("python3 test_app.py", 1)
    assert facts.mended(first).command == _POLITE


def test_a_command_in_the_background_counts_when_it_ends():
    facts = transcript_facts(recorded("codex", "slow"))
    assert [(one.command, one.code) for one in facts.ran] == [
        ("sleep 1; echo late; exit 4", 4),
        ("sleep 3", 0),
    ]


@pytest.mark.parametrize(
    ("cli", "edited"),
    [
        ("claude", ["app.py", "NOTES.md"]),
        ("codex", ["src/app.py", "tests/test_app.py"]),
        ("gemini", ["app.py", "NOTES.md"]),
    ],
)
def test_the_files_that_were_edited(cli, edited):
    transcript = recorded(cli, "plain")
    facts = transcript_facts(transcript)
    assert [path.removeprefix(f"{transcript.cwd}/") for path in facts.edited] == edited


def test_an_edit_that_was_refused_is_none():
    facts = transcript_facts(recorded("codex", "plain"))
    assert [(call.subject, why) for call, why in facts.refused] == [
        (
            "/outside.txt",
            "patch rejected: writing outside of the project; rejected by user approval settings",
        )
    ]
    assert "/outside.txt" not in facts.edited


@pytest.mark.parametrize(
    ("cli", "name", "end"),
    [
        ("claude", "plain", End.ANSWERED),
        ("claude", "killed", End.CUT_OFF),
        ("claude", "interrupted", End.BROKEN),
        ("claude", "limited", End.BROKEN),
        ("claude", "refused", End.BROKEN),
        ("codex", "killed", End.CUT_OFF),
        ("codex", "interrupted", End.BROKEN),
        ("codex", "quota", End.BROKEN),
        ("codex", "revived", End.ANSWERED),
        ("gemini", "cut", End.BROKEN),
        ("gemini", "refused", End.BROKEN),
        # It writes a call down when it has returned: of this kill its record knows nothing.
        ("gemini", "killed", End.ANSWERED),
    ],
)
def test_how_a_record_ends(cli, name, end):
    assert transcript_facts(recorded(cli, name)).end is end


@pytest.mark.parametrize(
    ("cli", "command"),
    [("claude", "touch begun && sleep 600"), ("codex", "touch on; sleep 600")],
)
def test_what_was_running_when_it_was_killed(cli, command):
    facts = transcript_facts(recorded(cli, "killed"))
    assert [call.subject for call in facts.running] == [command]
    assert command not in [one.command for one in facts.ran]


def test_a_quota_is_the_reason_for_the_stop():
    facts = transcript_facts(recorded("codex", "quota"))
    assert "ve hit your usage limit." in facts.why_broken


def test_what_stopped_a_session_that_went_on_is_no_reason_any_more():
    facts = transcript_facts(recorded("codex", "revived"))
    assert facts.why_broken == ""
    assert [reason[6:25] for reason in facts.earlier_breaks] == [" hit your usage lim"]
    assert [call.subject for call in facts.unfinished] == ["touch on; sleep 600"]
    assert facts.running == ()


@pytest.mark.parametrize(
    ("cli", "name", "plan"),
    [
        ("claude", "todos", [("look", True), ("edit", False)]),
        ("codex", "planned", [("look", True), ("edit", False), ("test", False)]),
        ("gemini", "todos", [("step 0", True), ("step 1", False)]),
    ],
)
def test_the_plan_as_it_stood_last(cli, name, plan):
    assert list(transcript_facts(recorded(cli, name)).plan) == plan


@pytest.mark.parametrize("cli", ["claude", "gemini"])
def test_a_question_that_nobody_answered(cli):
    assert transcript_facts(recorded(cli, "plain")).questions == ("Shall I add a changelog entry?",)


@pytest.mark.parametrize("cli", ["claude", "gemini"])
def test_what_was_asked_first_and_since(cli):
    facts = transcript_facts(recorded(cli, "refused"))
    assert (facts.task, facts.asked) == ("Try it. [REFUSED]", ("Try again. [AGAIN]",))
    assert not facts.heeded  # the second one: the request failed


def test_commands_of_the_cli_are_nobodys_words():
    facts = transcript_facts(recorded("claude", "compacted"))
    assert (facts.task, facts.asked) == ("Read the code. [FIRST]", ("Go on. [SECOND]",))
    assert facts.compacted == 1


@pytest.mark.parametrize("cli", ["claude", "codex", "gemini"])
def test_what_subagents_run_is_not_what_the_session_ran(cli):
    transcript = recorded(cli, "subagents")
    facts = transcript_facts(transcript)
    assert len(facts.delegated) == len(transcript.children) == 2
    assert facts.ran == ()  # in two of the three a subagent ran `exit 7`


def test_what_subagents_edit_is_edited():
    call = Called(1.0, "1", ToolKind.WRITE, "Edit", "a.py", ("a.py",))
    child = session(call, Returned(1.0, "1"))
    parent = session(user("go"))
    both = type(parent)(
        **{**{f: getattr(parent, f) for f in parent.__dataclass_fields__}, "children": (child,)}
    )
    assert transcript_facts(both).edited == ("a.py",)


def test_an_answered_question_is_not_open():
    events = [user("go"), agent("Shall I?"), user("yes"), agent("Done.")]
    assert transcript_facts(session(*events)).questions == ()
    assert transcript_facts(session(*events[:2])).questions == ("Shall I?",)


def test_a_command_that_was_broken_off_neither_failed_nor_passed():
    facts = transcript_facts(session(*ran("make", None, "aborted", failed=True)))
    assert facts.last_failing is None
    assert facts.last_passing is None
    assert [one.command for one in facts.ran] == ["make"]


def test_a_failure_that_looks_like_an_earlier_one_is_not_mended():
    again = [*ran("make", 2, "no"), *ran("make", 0)]
    third = [replace(event, id="third") for event in ran("make", 2, "no")]
    facts = transcript_facts(session(*again, *third))
    assert facts.mended(facts.last_failing) is None
    assert facts.failing is facts.ran[-1]


def test_what_only_asked_is_not_what_to_go_on_with():
    check = ran("pytest -q tests/a.py", 1, "1 failed")
    asks = ran("python -c 'import yaml'", 1, "ModuleNotFoundError")
    facts = transcript_facts(session(*check, *asks, *ran("make", 0)))
    assert facts.failing.command == "pytest -q tests/a.py"
    assert facts.last_failing.command == "python -c 'import yaml'"
    assert transcript_facts(session(*check, *asks, *ran("uv run pytest", 0))).failing is None
    assert (
        transcript_facts(session(*check, *asks)).failing.command == "python -c 'import yaml'"
    )  # the last


def test_a_command_of_the_cli_counts_when_the_agent_goes_to_work_on_it():
    assert transcript_facts(session(user("/init"), *ran("make", 0), user("/clear"))).task == "/init"
    facts = transcript_facts(
        session(user("Do it."), agent("Done."), user("/compact"), Compacted(1.0))
    )
    assert (facts.task, facts.asked, facts.end) == ("Do it.", (), End.ANSWERED)


def test_what_is_asked_by_a_tool_is_a_question_until_it_is_answered():
    call = Called(1.0, "1", ToolKind.ASK, "AskUserQuestion", "Which database?")
    facts = transcript_facts(session(user("go"), call))
    assert (facts.questions, facts.settled) == (("Which database?",), ())
    facts = transcript_facts(
        session(user("go"), call, Returned(1.0, "1", text="SQLite"), agent("Done."))
    )
    assert (facts.questions, facts.settled) == ((), (("Which database?", "SQLite"),))


def test_a_failure_is_not_mended_by_what_passed_before_it():
    facts = transcript_facts(session(*ran("make", 0), *ran("make", 2)))
    assert facts.mended(facts.last_failing) is None


def test_a_session_that_stopped_and_went_on_has_not_stopped():
    facts = transcript_facts(
        session(user("go"), Broken(1.0, "quota"), user("again"), agent("Done."))
    )
    assert (facts.end, facts.earlier_breaks) == (End.ANSWERED, ("quota",))


def test_an_empty_record():
    facts = transcript_facts(session())
    assert (facts.end, facts.task, facts.ran) == (End.EMPTY, "", ())
    assert transcript_facts(session(Planned(1.0, (("a", False),)))).plan == (("a", False),)


def test_every_session_of_a_fork_is_told_apart():
    tasks = [transcript_facts(one).asked for one in sessions("claude", "forked")]
    assert sorted(map(len, tasks)) == [0, 1, 2]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Done. Shall I go on?", ["Shall I go on?"]),
        ("Which one?\n\n- a?\n- b", ["Which one?"]),
        ("See https://x.example/?a=b for it.", []),
        ("```\nis this code?\n```\nIt is.", []),
        ("What now? Nothing.", ["What now?"]),
        ("`a ? b : c` is an expression", []),
        ("It is done\0", []),
        (
            "Why? It was wrong.\n\nShall I push?\n\n1. Now?\n2. No?",
            ["Shall I push?", "Now?", "Why?"],
        ),
        (
            "\u4fee\u597d\u4e86\u3002\u8981\u63d0\u4ea4\u5417\uff1f",
            ["\u8981\u63d0\u4ea4\u5417\uff1f"],
        ),
    ],
)
def test_sentences_that_ask(text, found):
    assert list(questions_in(text)) == found


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Traceback:\n  x\nValueError: no\n", "ValueError: no"),
        ('  File "x", line 1\nAssertionError: -1\n', "AssertionError: -1"),
        ("Exit code 7", ""),
        ("Output: (empty)\nExit Code: 7\nProcess Group PGID: 18949", ""),
        ("Output: 3 failed\nExit Code: 1", "3 failed"),
        ("====\n", ""),
        ("\x1b[1m1 failed\x1b[0m\n\x1b[0m\n\x1b]0;title\x07\n", "1 failed"),
        ("", ""),
    ],
)
def test_the_line_of_an_output_that_says_something(text, line):
    assert telling_line(text) == line
