"""Lines that a CLI printed, whatever was in them."""

from typing import Any

import pytest

from abreast.agents.lines import load_line


@pytest.mark.parametrize(
    ("line", "value"),
    [
        (b'{"a": "\\ud83d"}', {"a": "?"}),
        (b'{"a": "x\\uDE00y"}', {"a": "x?y"}),
        (b'{"\\ud83d": ["\\udc80"]}', {"?": ["?"]}),
        (b'{"a": "\xed\xa0\xbd"}', {"a": "?"}),
        (b'{"a": "\\ud83d\\ude00"}', {"a": "\N{GRINNING FACE}"}),
        ('{"a": "\N{GRINNING FACE} \N{HANGUL SYLLABLE HAN}"}'.encode(), None),
        (b'{"a": "C:\\\\ud83d"}', {"a": "C:\\ud83d"}),
    ],
)
def test_only_half_characters_are_replaced(line: bytes, value: Any) -> None:
    assert load_line(line) == (value or {"a": "\N{GRINNING FACE} \N{HANGUL SYLLABLE HAN}"})


@pytest.mark.parametrize("line", [b"", b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_value_is_an_error_of_one_kind(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"nest|JSON|decode|Expecting|property"):
        load_line(line)
