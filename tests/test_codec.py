"""Values through JSON and back, strict about types and lenient about versions."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abreast.codec import dump, load, text
from abreast.errors import AbreastError, ShapeError
from abreast.process.files import load_as, write_json


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Sums(NamedTuple):
    name: str
    cost: float = 0.0


@dataclass(frozen=True)
class Inner:
    minutes: float = 60.0
    turns: int = 0


@dataclass(frozen=True)
class Outer:
    name: str
    colour: Colour = Colour.RED
    inner: Inner = field(default_factory=Inner)
    names: tuple[str, ...] = ()
    by_name: dict[str, Inner] = field(default_factory=dict)
    known: frozenset[str] = frozenset()
    count: int | None = None
    sums: list[Sums] = field(default_factory=list)
    mark: tuple[int, int] = (0, 0)
    packed: bytes = b""
    folder: Path = Path()
    value: Any = None


# Python carries bytes that are no UTF-8 as halves of characters: file names have them.
TEXT = st.text(st.characters() | st.characters(categories=["Cs"]), max_size=8)
TEXTS = st.lists(TEXT, max_size=3)
INNER = st.builds(Inner, st.floats(allow_nan=False), st.integers(0, 2**70))
PATHS = st.sampled_from([Path("/home/user/a"), Path("caf\udce9")])
VALUES = st.builds(
    Outer,
    TEXT,
    st.sampled_from(Colour),
    INNER,
    TEXTS.map(tuple),
    st.dictionaries(TEXT, INNER, max_size=2),
    TEXTS.map(frozenset),
    st.none() | st.integers(),
    st.lists(st.builds(Sums, TEXT, st.floats(allow_nan=False)), max_size=2),
    st.tuples(st.integers(), st.integers()),
    st.binary(max_size=8),
    PATHS,
    st.recursive(st.none() | st.booleans() | TEXT, lambda inner: st.lists(inner, max_size=2)),
)


@given(VALUES)
def test_what_is_dumped_is_loaded_back_equal(value: Outer) -> None:
    for ascii_only in (True, False):
        raw = json.loads(json.dumps(dump(value), ensure_ascii=ascii_only))
        assert load(Outer, raw, "it") == value


@given(VALUES)
def test_the_text_of_a_value_says_what_is_dumped(value: Outer) -> None:
    assert json.loads(text(value)) == json.loads(json.dumps(dump(value)))


@dataclass(frozen=True)
class Simple:
    name: str
    share: float = 0.0
    inner: Inner = field(default_factory=Inner)
    argv: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    awake: bool = False


PARTS = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | TEXT,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["minutes", "turns", "other"]), inner, max_size=3)
    ),
    max_leaves=4,
)
KEYS = ["name", "share", "inner", "argv", "env", "awake", "since"]


@given(st.dictionaries(st.sampled_from(KEYS), PARTS) | PARTS)
def test_what_is_read_without_msgspec_is_what_that_reads(raw: Any) -> None:
    def read(kind: Any, given: Any) -> str:
        try:
            return repr(load(kind, given, "it"))
        except ShapeError as error:
            return f"{error.expected} at {error.place.removeprefix('[0]').removeprefix('.')}"

    assert f"[{read(Simple, raw)}]" in {read(list[Simple], [raw]), f"[{read(list[Simple], [raw])}]"}


def test_what_a_newer_version_wrote_is_ignored_and_what_an_older_one_lacks_is_the_default() -> None:
    raw = {"name": "a", "inner": {"turns": 3, "later": True}, "since": [1]}
    assert load(Outer, raw, "it") == Outer("a", inner=Inner(turns=3))


WRONG = [
    ({"count": "5"}, "count", "Expected `int | null`, got `str`"),
    ({"count": True}, "count", "Expected `int | null`, got `bool`"),
    ({"count": 5.5}, "count", "Expected `int | null`, got `float`"),
    ({"inner": {"minutes": "3"}}, "inner.minutes", "Expected `float`, got `str`"),
    ({"inner": {"minutes": True}}, "inner.minutes", "Expected `float`, got `bool`"),
    ({"inner": None}, "inner", "Expected `object`, got `null`"),
    ({"names": "abc"}, "names", "Expected `array`, got `str`"),
    ({"names": ["a", 3]}, "names[1]", "Expected `str`, got `int`"),
    ({"by_name": {"x": {"turns": []}}}, "by_name[...].turns", "Expected `int`, got `array`"),
    ({"colour": "green"}, "colour", "Invalid enum value 'green'"),
    ({"sums": [["a", 1.0, 2]]}, "sums[0]", "Expected `array` of length 1 to 2, got 3"),
    ({"mark": [1]}, "mark", "Expected `array` of length 2, got 1"),
    ({"packed": "?"}, "packed", "Invalid base64 encoded string"),
    ({"folder": 3}, "folder", "expected str, bytes or os.PathLike object, not int"),
    ({"name": None}, "name", "Expected `str`, got `null`"),
]


@pytest.mark.parametrize(("wrong", "place", "expected"), WRONG)
def test_a_wrong_shape_is_told_by_file_place_and_what_was_expected(
    wrong: dict[str, Any], place: str, expected: str, tmp_path: Path
) -> None:
    file = tmp_path / "value.json"
    write_json(file, {"name": "a"} | wrong)
    with pytest.raises(ShapeError) as caught:
        load_as(Outer, file)
    error = caught.value
    assert (error.what, error.place, error.expected) == (str(file), place, expected)
    assert error.message == f"{file} cannot be read: {place}: {expected}"
    assert isinstance(error, AbreastError)
    assert error.hint


@pytest.mark.parametrize("raw", [{}, [], "a", 3, {"name": "a", "colour": "\udce9"}])
def test_what_is_nothing_of_the_kind_is_the_same_error(raw: Any) -> None:
    with pytest.raises(ShapeError, match=r"^the answer cannot be read: "):
        load(Outer, raw, "the answer")


def test_no_file_and_no_json_are_nothing(tmp_path: Path) -> None:
    assert load_as(Outer, tmp_path / "none.json") is None
    (tmp_path / "half.json").write_text('{"name": "a"')
    assert load_as(Outer, tmp_path / "half.json") is None


def test_what_is_no_value_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        write_json(tmp_path / "value.json", {"handle": object()})
    assert list(tmp_path.iterdir()) == []
