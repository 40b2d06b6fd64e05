"""Figures are short and exact; the unknown is "-"; foreign text cannot repaint a terminal."""

import pytest

from abreast.faces import figures


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(None, "-"), (0, "0:00"), (7.9, "0:07"), (754, "12:34"), (3723, "1:02:03"), (-1, "0:00")],
)
def test_duration(seconds, shown):
    assert figures.duration(seconds) == shown


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (None, "-"),
        (0, "0"),
        (999, "999"),
        (1000, "1.0k"),
        (9949, "9.9k"),
        (9950, "10k"),
        (48_211, "48k"),
        (999_499, "999k"),
        (999_500, "1.0M"),
        (3_140_000, "3.1M"),
        (999_500_000, "1.0B"),
    ],
)
def test_count(number, shown):
    assert figures.count(number) == shown


@pytest.mark.parametrize(
    ("usd", "shown"),
    [(None, "-"), (0, "$0.00"), (0.001, "<$0.01"), (0.005, "$0.01"), (1.254, "$1.25")],
)
def test_an_unknown_cost_is_never_shown_as_nothing(usd, shown):
    assert figures.money(usd) == shown


@pytest.mark.parametrize(
    ("number", "shown"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (9_960_000, "10 MB"), (3_400_000_000, "3.4 GB")],
)
def test_size(number, shown):
    assert figures.size(number) == shown


def test_foreign_text_loses_its_control_characters():
    hostile = "ok\x1b[2J\x1b]0;title\x07\rgone\x9b31m\tend\n"
    assert figures.harmless(hostile) == "ok\ngone31m\tend\n"
    assert figures.harmless("a\u202etxt.exe\u2069") == "atxt.exe"
    assert figures.one_line("  two\n\tlines\x1b[31m ") == "two lines"
