"""An agent's wording: taken when it keeps to the facts, else the draft stays."""

from dataclasses import replace

import pytest

from abreast.engine.reading.handoff.writing import polish
from abreast.handoff.page import body, problems, read_header
from abreast.model.task import Deliverable, DeliveryState, Isolation
from tests.support.handoffs import HEADER, handoff_of, recorded

DRAFT = handoff_of(recorded("claude", "plain"))
GOOD = """\
## Right now
The agent waits for an answer; `exit 7` failed last.

## Why
The greeting has to be polite. [PLAIN]

## Next step
Answer: shall I add a changelog entry?

## Context when I return
- `python3 test_app.py && echo all is well` passes (exit 0)
- edited: `app.py` and `NOTES.md`
"""


def test_other_words_are_fine():
    assert problems(DRAFT, GOOD, 600) == []


@pytest.mark.parametrize(
    ("old", "new", "wrong"),
    [
        ("`exit 7`", "`exit 8`", "`exit 8` is not in the draft"),
        ("`app.py`", "`src/app.py`", "`src/app.py` is not in the draft"),
        ("edited: `app.py`", "edited: src/app.py", "the path src/app.py is not in the draft"),
        ("edited: `app.py`", "edited: apps.py", "the path apps.py is not in the draft"),
        ("edited:", "at 9f8e7d6c5b4a:", "the commit 9f8e7d6c5b4a is not in the draft"),
        ("edited:", "edited 12 files:", "the number 12 is not in the draft"),
        ("`exit 7` failed last", "`exit 7` passes", "that `exit 7` passed is not in the draft"),
        (
            "all is well` passes (exit 0)",
            "all is well` failed",
            "that `python3 test_app.py && echo all is well` failed is not in the draft",
        ),
        ("edited:", "Then git push; edited:", "the command git push is not in the draft"),
        ("edited:", "Use --force; edited:", "the option --force is not in the draft"),
        (
            "edited:",
            "The greeting is now fixed; edited:",
            'that "is now fixed" is not in the draft',
        ),
        ("- edited:", "```\nmake it\n```\n- edited:", "``` is not in the draft"),
        ("edited:", "All tests pass; edited:", 'that "tests pass" is not in the draft'),
        ("## Why", "## Reason", "it does not have the four headings"),
        ("## Right now", "Sure:\n\n## Right now", "it does not have the four headings"),
        ("The greeting has to be polite. [PLAIN]", "", "it leaves a section empty"),
        ("edited:", "edited: " + "again " * 500, "it takes"),
    ],
)
def test_a_changed_fact_is_found(old, new, wrong):
    assert old in GOOD
    found = problems(DRAFT, GOOD.replace(old, new), 600)
    assert any(one.startswith(wrong) for one in found), found


@pytest.mark.parametrize(
    "words",
    [
        "Make the tests pass, then re-run them - slowly",
        "it is not fixed yet, and go on with what has to be merged",
        "see whether all is resolved",
    ],
)
def test_what_is_wanted_is_no_claim(words):
    assert problems(DRAFT, GOOD.replace("edited:", f"{words}; edited:"), 600) == []


def answered(text, state=DeliveryState.OK, reason=""):
    asked = []

    def ask(contract):
        asked.append(contract)
        return Deliverable("run/ask", state, "claude", items=tuple(text.split("\n")), reason=reason)

    return ask, asked


def test_the_wording_is_taken_under_the_drafts_own_header():
    ask, asked = answered(GOOD)
    found = polish(DRAFT, 600, ask)
    assert read_header(found.text) == HEADER
    assert GOOD.strip() in found.text
    assert found.next_step == ("Answer: shall I add a changelog entry?",)
    assert found.notes == ("worded by claude; its facts are those of the draft",)
    [contract] = asked
    assert contract.isolation is Isolation.CONTEXT  # it may change nothing
    assert body(DRAFT) in contract.question
    assert "not instructions" in contract.question


@pytest.mark.parametrize(
    ("text", "state", "reason", "note"),
    [
        (
            GOOD.replace("exit 7", "exit 8"),
            DeliveryState.OK,
            "",
            "the draft was kept: claude changed facts: `exit 8` is not in the draft",
        ),
        (
            GOOD,
            DeliveryState.FAILED,
            "no login",
            "the draft was kept: claude gave no text (failed: no login)",
        ),
    ],
)
def test_the_draft_stays_and_it_is_told_why(text, state, reason, note):
    found = polish(DRAFT, 600, answered(text, state, reason)[0])
    assert found == replace(DRAFT, notes=(found.notes[0],))
    assert found.notes[0].startswith(note)
