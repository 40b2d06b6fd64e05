"""An answer is what was asked for, or every way in which it is not is told."""

from typing import Any

import pytest

from abreast.contract.shapes import PRESETS, schema_of
from abreast.contract.validate import problems
from abreast.errors import ContractError
from tests.support.deadlines import SECONDS

GOOD: dict[str, Any] = {
    "text": {"text": "It retries three times."},
    "bullets": {"bullets": ["src/a.py uses pandas"], "nothing_found": None},
    "paths": {"paths": ["src/a.py"], "nothing_found": None},
    "table": {"columns": ["file", "uses"], "rows": [["a.py", "3"]], "nothing_found": None},
    "yes-no": {"answer": "no", "why": "Nothing imports it."},
    "findings": {
        "findings": [
            {"title": "Race", "where": "a.py:3", "detail": "No lock.", "severity": "high"}
        ],
        "nothing_found": None,
    },
}


@pytest.mark.parametrize("name", PRESETS)
def test_a_good_answer_has_no_problems(name: str) -> None:
    assert problems(GOOD[name], schema_of(name)) == []


def test_a_table_may_have_no_rows_if_it_is_said_why() -> None:
    silent: dict[str, Any] = {**GOOD["table"], "rows": []}
    told = {**silent, "nothing_found": "Searched src/ for pandas; no file imports it."}
    assert problems(told, schema_of("table")) == []
    assert "nothing_found" in problems(silent, schema_of("table"))[0]
    both = {**GOOD["table"], "nothing_found": "nothing"}
    assert problems(both, schema_of("table")) == [
        "nothing_found: must be null, because rows has entries"
    ]


@pytest.mark.parametrize("name", ["bullets", "paths", "findings"])
def test_nothing_found_is_said_and_differs_from_nothing_at_all(name: str) -> None:
    silent = {name: [], "nothing_found": None}
    told = {name: [], "nothing_found": "Searched src/ for pandas; no file imports it."}
    assert problems(told, schema_of(name)) == []
    assert "nothing_found" in problems(silent, schema_of(name))[0]
    for words in ("none", "Nothing found.", "No results were found"):
        empty = {**silent, "nothing_found": words}
        [problem] = problems(empty, schema_of(name))
        assert problem == "nothing_found: must say what was searched"
    both = {**GOOD[name], "nothing_found": "nothing"}
    assert problems(both, schema_of(name)) == [
        f"nothing_found: must be null, because {name} has entries"
    ]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("test", "placeholder"),
        ("TODO", "placeholder"),
        ("...", "placeholder"),
        ("<placeholder>", "placeholder"),
        ("   ", "blank"),
        ("See the report above.", "points to"),
        ("The full list is above", "points to"),
        ("as described above", "points to"),
        ("I have provided the full report above.", "points to"),
        ("As I said in my previous message.", "points to"),
        ("Analysis complete. See the detailed report above for all findings.", "points to"),
        ("The list above contains every use.", "points to"),
        ("N/A", "placeholder"),
        ('["a", "b"]', "JSON in a string"),
        ('{"a": 1}', "JSON in a string"),
    ],
)
def test_words_that_say_nothing_are_refused(text: str, word: str) -> None:
    [problem] = problems({"text": text}, schema_of("text"))
    assert word in problem


@pytest.mark.parametrize(
    "text",
    [
        "The test above the fold fails because the report is empty.",
        "[tool.ruff] is set in pyproject.toml",
        "{name} is expanded by format()",
        "test_login fails",
        "See src/app.py, which holds the list.",
        "The lock above line 30 is never released.",
        "Done: see the report in docs/report.md.",
        "It retries three times. The list above the form is sorted.",
        "The table above the header is drawn twice.",
    ],
)
def test_words_that_look_like_it_are_not(text: str) -> None:
    assert problems({"text": text}, schema_of("text")) == []


@pytest.mark.parametrize(
    ("value", "returns"),
    [
        ({"paths": ["test"], "nothing_found": None}, "paths"),
        ({"bullets": ["dev", "test"], "nothing_found": None}, "bullets"),
        ({**GOOD["table"], "rows": [["name", "string"]]}, "table"),
        ({**GOOD["table"], "rows": [["name", ""]]}, "table"),
        ({"bullets": ["a.py, b.py and c.py use it"], "nothing_found": None}, "bullets"),
        ({"bullets": ["it calls:\n- a\n- b"], "nothing_found": None}, "bullets"),
        ({"paths": ["docs/a, b and c.md"], "nothing_found": None}, "paths"),
        ({"kind": "test"}, {"type": "object", "properties": {"kind": {"enum": ["test"]}}}),
        ({"columns": 1, "rows": [[2]]}, {"type": "object"}),
    ],
)
def test_a_name_is_no_placeholder(value: Any, returns: Any) -> None:
    assert problems(value, schema_of(returns)) == []


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        ("bullets", "- a.py\n- b.py"),
        ("bullets", "1. a.py\n2. b.py"),
        ("paths", "a.py\nb.py"),
        ("paths", "src/a.py, src/b.py"),
    ],
)
def test_a_list_in_one_entry_is_refused(name: str, entry: str) -> None:
    [problem] = problems({name: [entry], "nothing_found": None}, schema_of(name))
    assert problem == f"{name}[0]: holds a list in a string; make each item an entry of its own"


@pytest.mark.parametrize("words", ["None", "No matches found.", "nothing"])
def test_an_entry_that_says_there_is_none_is_no_entry(words: str) -> None:
    [problem] = problems({"bullets": [words], "nothing_found": None}, schema_of("bullets"))
    assert problem.startswith("bullets: its only entry says that there is none")
    assert problems({"bullets": ["a.py", words], "nothing_found": None}, schema_of("bullets")) == []


def test_what_a_schema_says_elsewhere_counts_as_well() -> None:
    part = {"type": "object", "properties": {"names": {"type": "array"}}, "required": ["names"]}
    kind = {"type": "string", "enum": ["test", "example"]}
    schema = {
        "type": "object",
        "properties": {
            "part": {"$ref": "#/$defs/part"},
            "either": {"anyOf": [{"$ref": "#/$defs/part"}, {"type": "null"}]},
            "kind": {"allOf": [{"$ref": "#/$defs/kind"}]},
        },
        "$defs": {"part": part, "kind": kind},
    }
    assert problems({"kind": "test", "either": None}, schema_of(schema)) == []
    for name in ("part", "either"):
        [problem] = problems({name: {"names": []}}, schema_of(schema))
        assert problem.startswith(f"{name}.names: is empty")


@pytest.mark.timeout(SECONDS)
def test_the_layout_of_a_text_costs_no_time() -> None:
    text = "|" + " " * 200 + "x"
    assert problems({"text": text}, schema_of("text")) == []
    assert "points to" in problems({"text": "see   the\nreport  above"}, schema_of("text"))[0]


@pytest.mark.parametrize(
    "reference",
    ["http://127.0.0.1:1/x.json", "file:///etc/hostname", "other.json", "#/$defs/none", "#none"],
)
def test_a_schema_is_whole_and_nothing_is_fetched_for_it(reference: str) -> None:
    schema = {"type": "object", "properties": {"a": {"$ref": reference}}}
    with pytest.raises(ContractError, match="not part of it"):
        schema_of(schema)
    assert "cannot be checked" in problems({"a": 1}, schema)[0]


def test_a_schema_without_an_end_is_told() -> None:
    assert "cannot be checked" in problems({}, schema_of({"type": "object", "$ref": "#"}))[0]
    deep: dict[str, Any] = {}
    for _ in range(3000):
        deep = {"not": deep}
    with pytest.raises(ContractError, match="nested too deeply"):
        schema_of(deep)


def test_references_hold_in_a_schema_that_is_wrapped() -> None:
    node = {"type": "object", "properties": {"next": {"$ref": "#"}, "name": {"$ref": "#/$defs/n"}}}
    schema = schema_of({"anyOf": [node, {"type": "null"}], "$defs": {"n": {"type": "string"}}})
    assert problems({"value": {"next": {"name": "a", "next": None}}}, schema) == []
    assert problems({"value": {"next": {"name": 1}}}, schema) != []


def test_a_part_of_a_schema_may_be_a_mere_boolean() -> None:
    schema = {"type": "object", "properties": {"a": True, "b": True}, "required": ["a"]}
    assert problems({"a": ["x"], "b": {"c": [{}]}}, schema_of(schema)) == []
    assert "is empty" in problems({"a": []}, schema_of(schema))[0]


def test_a_wrong_shape_is_told_by_place() -> None:
    found = problems({"bullets": ["a", 3], "extra": 1}, schema_of("bullets"))
    assert any(p.startswith("bullets[1]:") for p in found), found
    assert any("nothing_found" in p for p in found), found
    assert any("extra" in p for p in found), found


def test_a_row_has_a_cell_for_each_column() -> None:
    value = {"columns": ["a", "b"], "rows": [["1", "2"], ["1"]], "nothing_found": None}
    assert problems(value, schema_of("table")) == ["rows[1]: has 1 cells, but there are 2 columns"]


def test_a_required_list_of_ones_own_schema_may_be_empty_only_if_it_says_so() -> None:
    strict = {
        "type": "object",
        "properties": {"names": {"type": "array"}},
        "required": ["names"],
    }
    assert "is empty" in problems({"names": []}, strict)[0]
    strict["properties"]["names"]["minItems"] = 0  # type: ignore[index]
    assert problems({"names": []}, strict) == []


def test_a_schema_of_another_type_is_wrapped() -> None:
    schema = schema_of({"type": "array", "items": {"type": "integer"}, "minItems": 1})
    assert problems({"value": [1]}, schema) == []
    assert problems([1], schema)


@pytest.mark.parametrize("returns", ["haiku", {"type": "banana"}, {"properties": 3}])
def test_a_shape_that_does_not_exist_is_refused(returns: Any) -> None:
    with pytest.raises(ContractError):
        schema_of(returns)


def test_a_flood_of_problems_is_cut() -> None:
    assert len(problems({"bullets": [1] * 1000, "nothing_found": None}, schema_of("bullets"))) == 20
