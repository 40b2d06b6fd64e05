"""Entries put into JSON text and taken out again, everything else as it was."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abreast.engine.client.connect.change import apply, between, reverse
from abreast.engine.client.connect.json_text import parse, put, take

KEYS = ("mcpServers", "abreast")
ENTRY = {"command": "/opt/abreast", "args": ["mcp"]}

scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
values = st.recursive(
    scalars,
    lambda some: (
        st.lists(some, max_size=3) | st.dictionaries(st.text(max_size=5), some, max_size=3)
    ),
    max_leaves=8,
)
servers = st.dictionaries(st.text(max_size=5) | st.just("abreast"), values, max_size=3)
documents = st.dictionaries(st.text(max_size=5), values, max_size=4).flatmap(
    lambda rest: st.just(rest) | servers.map(lambda own: rest | {"mcpServers": own})
)
indents = st.sampled_from([None, 0, 1, 2, 4, "\t"])


def existing(document):
    return ("mcpServers" in document) + ("abreast" in document.get("mcpServers", {}))


@given(documents, indents, st.booleans())
def test_only_the_entry_changes_and_comes_out_again(document, indent, ascii_only):
    text = json.dumps(document, indent=indent, ensure_ascii=ascii_only)
    edits = put(text, KEYS, ENTRY)
    new = apply(text, edits)
    wanted = document | {"mcpServers": document.get("mcpServers", {}) | {"abreast": ENTRY}}
    assert json.loads(new) == wanted
    assert put(new, KEYS, ENTRY) == []
    assert apply(new, reverse(edits)) == text
    if existing(document) < 2:
        without = apply(new, take(new, KEYS, existing(document)))
        assert json.loads(without) == document
        if document != {} and document.get("mcpServers") != {}:
            assert without == text


@given(documents, indents)
def test_taking_out_leaves_the_rest(document, indent):
    text = json.dumps(document, indent=indent)
    left = json.loads(apply(text, take(text, KEYS, len(KEYS))))
    if "mcpServers" in document:
        assert left == document | {
            "mcpServers": {k: v for k, v in document["mcpServers"].items() if k != "abreast"}
        }
    else:
        assert left == document


@given(st.text(max_size=20), st.text(max_size=20))
def test_between_leads_from_one_to_the_other_and_back(old, new):
    edits = between(old, new)
    assert apply(old, edits) == new
    assert apply(new, reverse(edits)) == old


HAND_MADE = """\
{
\t// mine
\t"ui": {"theme": "x"},   /* "not": {"a": "key" */
\t"mcpServers": {
\t\t"other": {"command": "x{", "args": []} // the last, so far
\t\t// more to come
\t}
}
"""


def test_comments_and_layout_stay():
    new = apply(HAND_MADE, put(HAND_MADE, KEYS, {"command": "a"}))
    assert new == HAND_MADE.replace(
        "[]} // the last, so far\n",
        '[]}, // the last, so far\n\t\t"abreast": {\n\t\t\t"command": "a"\n\t\t}\n',
    )
    assert apply(new, take(new, KEYS, 1)) == HAND_MADE


@pytest.mark.parametrize(
    ("text", "new"),
    [
        ("", '{\n  "a": {\n    "b": 1\n  }\n}\n'),
        ("{}", '{\n  "a": {\n    "b": 1\n  }\n}'),
        ('{"x": 1}', '{"x": 1, "a": {"b": 1}}'),
        ('{"x": 1, "a": {"c": 2}}', '{"x": 1, "a": {"c": 2, "b": 1}}'),
        (
            '{\r\n    "x": 1\r\n}\r\n',
            '{\r\n    "x": 1,\r\n    "a": {\r\n        "b": 1\r\n    }\r\n}\r\n',
        ),
        ('{\n  "a": { // none\n  }\n}', '{\n  "a": {\n    "b": 1 // none\n  }\n}'),
        ('\ufeff{"a": {"b": 2}}', '\ufeff{"a": {"b": 1}}'),
        ('{"a": {"b": 1}, "a": {}}', '{"a": {"b": 1}, "a": {\n  "b": 1\n}}'),
    ],
)
def test_layouts(text, new):
    assert apply(text, put(text, ("a", "b"), 1)) == new


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('{"a": 1,}', 1),
        ('{\n"a": 1\n"b": 2}', 3),
        ('{"a": [1,]}', 1),
        ('{"a": [1 2]}', 1),
        ('{"a" 1}', 1),
        ('{"a": 01}', 1),
        ('{"a": 1} x', 1),
        ('{"a": "\n"}', 1),
        ("{", 1),
        ('{"a": 1', 1),
        ("{,}", 1),
    ],
)
def test_what_is_no_json_is_refused_with_its_line(text, line):
    with pytest.raises(ValueError, match=f"line {line} is not JSON"):
        parse(text)


@pytest.mark.parametrize("text", ["[]", '{"mcpServers": []}', "1"])
def test_where_an_object_is_needed_something_else_is_refused(text):
    with pytest.raises(ValueError, match="is not an object"):
        put(text, KEYS, ENTRY)
