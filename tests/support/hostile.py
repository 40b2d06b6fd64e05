"""Texts that nobody means well with, and whether a function takes time by more than their length.

A text is one short piece over and over, its *pump*. Pieces are those that a module's own patterns
are made of, one by one and in pairs, and some that no pattern has.
"""

import re
import signal
import time
from collections.abc import Callable, Iterator
from itertools import product
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from types import FrameType, ModuleType
from typing import Any

SMALL, LARGE = 4_000, 16_000  # characters
SLOW = 0.08  # seconds: what takes less at LARGE is no matter, whatever it grows by
MOST = 9.0  # times as long for four times the text: 4 by its length, 16 by its square
_LATE = 20.0

COMMON = (
    *(
        "a",
        "0",
        " ",
        "\n",
        "\r",
        "\t",
        "\0",
        "\x1b[",
        "\x9b",
        "\u202e",
        "\udcff",
        "é",
        "\U0001f600",
    ),
    *(
        "/",
        "-",
        ".",
        ":",
        "=",
        "@",
        "`",
        "'",
        '"',
        "\\",
        "{",
        "[",
        "(",
        "<",
        ">",
        ",",
        ";",
        "|",
        "#",
    ),
    *(
        "a ",
        "a\n",
        "a/",
        "../",
        " \n",
        "\n\n",
        "[[",
        "{}",
        '{"a":',
        '{"a":1,',
        '"a":[',
        '\\"',
        "\\u",
    ),
    *(
        "```\n",
        "``",
        "a=b ",
        "--a ",
        "a.a",
        "<a>",
        "](",
        "![",
        "https://a@",
        "a b",
        "0.",
        "1e9,",
        "*",
    ),
)

Function = Callable[[str], Any]


def grows(read: Callable[[int], Any], few: int = 2_000) -> float:
    """Return how many times as long `read` takes for four times as many: 4 where it is linear.

    What takes next to nothing grows by nothing.
    """
    took = []
    for number in (few, few, 4 * few):  # the first time it may have to import something
        begun = time.process_time()
        read(number)
        took.append(time.process_time() - begun)
    return took[2] / took[1] if took[2] >= SLOW else 0.0


class _TooLongError(Exception):
    pass


def slow_pumps(function: Function, pumps: Iterator[str]) -> Iterator[tuple[str, float]]:
    """Yield the pumps by which `function` takes more time than by the length of their text."""
    for pump in pumps:
        if seconds(function, pump, LARGE) < SLOW:
            continue
        small, large = (seconds(function, pump, size) for size in (SMALL, LARGE))
        if large >= SLOW and large > MOST * small:
            yield pump, large / small


def seconds(function: Function, pump: str, size: int) -> float:
    """Return how much of the processor's time a text of a pump takes; `_LATE` for ever."""
    text = (pump * (size // len(pump) + 1))[:size] + "\x01"
    before = signal.signal(signal.SIGALRM, _late)
    signal.setitimer(signal.ITIMER_REAL, 3 * _LATE)
    begun = time.process_time()
    try:
        function(text)
    except _TooLongError:
        return _LATE * size
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    return time.process_time() - begun


def _late(_number: int, _frame: FrameType | None) -> None:
    raise _TooLongError


def pumps_of(*modules: ModuleType, most: int = 20) -> Iterator[str]:
    """Yield pumps for functions of these modules: `most` of them are made of their patterns."""
    yield from COMMON
    pieces = dict.fromkeys(piece for module in modules for piece in _pieces(module))
    yield from pieces
    pairs = [one + other for one, other in product(pieces, pieces) if one != other]
    yield from pairs[:: max(1, len(pairs) // most)]


def _pieces(module: ModuleType) -> Iterator[str]:
    for value in vars(module).values():
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, re.Pattern):
                yield from _of(parser.parse(one.pattern, one.flags))


def _of(pattern: Any) -> Iterator[str]:
    """Yield the literal texts of a parsed pattern, and a character of each of its classes."""
    literal = ""
    for code, given in pattern:
        if code is codes.LITERAL:
            literal += chr(given)
            continue
        if literal:
            yield literal
        literal = ""
        if code is codes.IN:
            yield from filter(None, map(_of_class, given))
        for inner in _INNER.get(code, lambda _: ())(given):
            yield from _of(inner)
    if literal:
        yield literal


_INNER: dict[Any, Callable[[Any], Any]] = {
    codes.BRANCH: lambda given: given[1],
    codes.SUBPATTERN: lambda given: (given[3],),
    codes.MAX_REPEAT: lambda given: (given[2],),
    codes.MIN_REPEAT: lambda given: (given[2],),
    codes.POSSESSIVE_REPEAT: lambda given: (given[2],),
    codes.ASSERT: lambda given: (given[1],),
    codes.ASSERT_NOT: lambda given: (given[1],),
    codes.ATOMIC_GROUP: lambda given: (given,),
}


def _of_class(part: tuple[Any, Any]) -> str:
    code, given = part
    if code is codes.LITERAL:
        return chr(given)
    if code is codes.RANGE:
        return chr(given[0])
    return {codes.CATEGORY_DIGIT: "0", codes.CATEGORY_SPACE: " "}.get(given, "a")
