"""JSON Schema in the words of OpenAI's strict mode, or not at all."""

import copy
import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from abreast.agents.codex.agent import AGENT
from abreast.agents.codex.headless import strict
from abreast.contract.shapes import PRESETS, schema_of

TEXT: dict[str, Any] = {"type": "string"}


def closed(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def but(schema: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {**schema, **more}


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_fits(name: str) -> None:
    before = copy.deepcopy(PRESETS[name])
    found = strict(PRESETS[name])
    assert found is not None
    assert PRESETS[name] == before
    said = json.dumps(found)
    assert not [word for word in ("minLength", "minItems", "maxItems") if word in said]
    assert set(found["properties"]) == set(before["properties"])


ANSWERS: dict[str, Any] = {
    "text": {"text": "t"},
    "bullets": {"bullets": ["a"], "nothing_found": None},
    "paths": {"paths": [], "nothing_found": "nothing in src"},
    "table": {"columns": ["a"], "rows": [["1"]], "nothing_found": None},
    "yes-no": {"answer": "unclear", "why": "w"},
    "findings": {
        "findings": [{"title": "t", "where": "a.py:1", "detail": "d", "severity": "low"}],
        "nothing_found": None,
    },
}


@pytest.mark.parametrize("name", PRESETS)
def test_what_a_preset_admits_the_copy_admits(name: str) -> None:
    found = strict(PRESETS[name])
    assert found is not None
    Draft202012Validator(dict(PRESETS[name])).validate(ANSWERS[name])
    Draft202012Validator(found).validate(ANSWERS[name])
    assert not Draft202012Validator(found).is_valid({**ANSWERS[name], "more": 1})


@pytest.mark.parametrize(
    ("part", "kept"),
    [
        (but(TEXT, minLength=1, pattern="^a", format="date", title="T", default="a"), TEXT),
        (but(TEXT, description="why"), but(TEXT, description="why")),
        ({"type": ["integer", "null"], "minimum": 1}, {"type": ["integer", "null"]}),
        ({"type": "array", "items": TEXT, "minItems": 1, "uniqueItems": True},
         {"type": "array", "items": TEXT}),
        ({"type": "string", "const": "a"}, {"type": "string", "enum": ["a"]}),
        ({"anyOf": [TEXT, {"type": "null"}], "title": "T"}, {"anyOf": [TEXT, {"type": "null"}]}),
        ({"$ref": "#/$defs/x", "description": "why"}, {"$ref": "#/$defs/x"}),
        (closed(), closed()),
    ],
)  # fmt: skip
def test_what_only_narrows_is_left_out(part: dict[str, Any], kept: dict[str, Any]) -> None:
    found = strict(but(closed(part=part), **{"$defs": {"x": TEXT}}))
    assert found is not None
    assert found["properties"]["part"] == kept
    assert found["$defs"] == {"x": TEXT}


DEEP: dict[str, Any] = TEXT
for _ in range(12):
    DEEP = closed(inner=DEEP)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "array", "items": TEXT},
        {"type": "object"},
        {"type": ["object", "null"], "properties": {}, "required": []},
        but(closed(a=TEXT), required=[]),
        but(closed(a=TEXT), additionalProperties=True),
        but(closed(a=TEXT), anyOf=[closed(a=TEXT)]),
        but(closed(a=TEXT), patternProperties={"^b": TEXT}),
        closed(a={}),
        closed(a=True),
        closed(a={"enum": ["x"]}),
        closed(a={"type": "array"}),
        closed(a={"type": "array", "items": True}),
        closed(a={"type": "array", "items": TEXT, "prefixItems": [TEXT]}),
        closed(a={"oneOf": [TEXT]}),
        closed(a={"allOf": [TEXT]}),
        closed(a={"not": TEXT}),
        closed(a={"type": "string", "if": TEXT, "then": TEXT}),
        closed(a={"type": "object", "anyOf": [closed(b=TEXT)]}),
        closed(a={"$ref": "https://example.com/schema"}),
        closed(a={"type": "array", "items": {"type": "object", "properties": {"b": TEXT}}}),
        closed(a={"type": "object", "enum": [{}], "properties": {}}),
        closed(a={"type": "string", "enum": [str(n) for n in range(1001)]}),
        DEEP,
    ],
)
def test_what_has_no_words_in_strict_mode_is_refused(schema: dict[str, Any]) -> None:
    Draft202012Validator.check_schema(schema)
    assert not AGENT.takes(schema)


def test_a_wrapped_schema_fits_when_what_is_in_it_does() -> None:
    assert AGENT.takes(schema_of({"type": "array", "items": TEXT}))
    assert not AGENT.takes(schema_of({"type": "array"}))
