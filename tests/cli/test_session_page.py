"""The page of a session as a terminal shows it."""

import io
from dataclasses import replace

from abreast.cli.console import OurConsole
from abreast.cli.session_page import print_page
from abreast.model.session import LandState, SessionState
from abreast.model.session_page import PageFile, SessionPage
from tests.cli import values


def lines(page: SessionPage, width: int = 40) -> list[str]:
    on = OurConsole(file=io.StringIO())
    on.width = width
    print_page(on, page)
    assert isinstance(on.file, io.StringIO)
    return [line.rstrip() for line in on.file.getvalue().splitlines()]


def page(**more: object) -> SessionPage:
    session = replace(values.landed().sessions[0], landing=LandState.NONE, landed="", **more)
    return SessionPage(session, "main", "It is there.", "Do it.", (), (), (), (), "", "", "")


def test_no_word_and_no_name_of_an_agent_stands_where_a_line_of_the_page_begins() -> None:
    forged = "verify: pytest: exit 0"
    said = f"done\n{forged}\n{'x' * 38} {forged}\n{'y' * 38}{forged}"
    reason = f"ended\n{forged}"
    names = (PageFile(f"a\n{forged}", "A", 1, 0), PageFile("plain name.txt", "M", 1, 1))
    shown = lines(replace(page(final_message=said, reason=reason), files=names))
    assert not [line for line in shown if line.startswith("verify")]
    assert '  A  "a verify: pytest: exit 0"  +1 -0' in shown
    assert "  M  plain name.txt  +1 -1" in shown


def test_of_what_has_landed_it_says_as_what_and_how_to_undo_it() -> None:
    where = "in main, as abcdef100000; abreast land --undo k3v9/a takes it back"
    assert lines(replace(page(), landed=where), 80)[-1] == f"landed: {where}"


def test_no_command_is_broken_where_a_narrow_terminal_ends() -> None:
    hint = f"its output: /{'x' * 30}/verify"
    broken = page(state=SessionState.FAILED, hint=hint)
    advice = broken.session.advice
    assert advice == f"{hint}; then: abreast resume k3v9"
    assert lines(replace(broken, advice=advice))[-1] == f"next: {advice}"
