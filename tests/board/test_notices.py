"""What the terminal is told beside its screen."""

from dataclasses import replace

import pytest

from abreast.board.notices import notice_sequence, title, title_sequence
from abreast.cli.groups import rows_of_run
from abreast.model.alert import Alert
from abreast.model.snapshot import Snapshot
from tests.cli import values

SAID = Alert("k3v9/one", "/shop", "codex", "review", "one needs you (shop)", "a; b", "abreast …")


def test_the_title_counts():
    assert title(Snapshot("")) == "abreast"
    assert title(rows_of_run(values.landed())) == "1 needs you"


@pytest.mark.parametrize(
    ("environ", "sequence"),
    [
        ({}, "\x1b]777;notify;one needs you (shop);a, b\x07"),
        ({"TERM_PROGRAM": "iTerm.app"}, "\x1b]9;one needs you (shop): a, b\x07"),
        ({"TERM": "xterm-kitty"}, "\x1b]9;one needs you (shop): a, b\x07"),
        ({"TMUX": "/tmp/x"}, "\x1bPtmux;\x1b\x1b]777;notify;one needs you (shop);a, b\x07\x1b\\"),
    ],
)
def test_each_terminal_gets_what_it_knows(environ, sequence):
    assert notice_sequence(SAID, environ) == sequence


def test_what_an_agent_says_ends_no_sequence():
    said = "a\x07\x1b]52;c;x\x1b\\b\x9c\u202e" * 200
    for sequence in (
        notice_sequence(replace(SAID, title=said, text=said), {}),
        title_sequence(said),
    ):
        inner = sequence.removeprefix("\x1b]").removesuffix("\x07")
        assert inner.isprintable()
        assert len(inner) < 500
