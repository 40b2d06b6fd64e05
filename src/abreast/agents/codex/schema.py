"""JSON Schema as OpenAI's strict mode takes it, to which Codex's `--output-schema` always asks.

Codex itself checks nothing: a schema that the provider refuses fails the session's first request.
"""

from collections.abc import Mapping
from typing import Any

_TYPES = frozenset({"object", "array", "string", "number", "integer", "boolean", "null"})
# These only narrow or describe what else is said. The answer is held to the whole schema by us.
_LEFT_OUT = frozenset(
    {
        *("minLength", "maxLength", "pattern", "format", "contentEncoding", "contentMediaType"),
        *("multipleOf", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
        *("minItems", "maxItems", "uniqueItems", "contains", "minContains", "maxContains"),
        *("minProperties", "maxProperties", "propertyNames"),
        *("title", "default", "examples", "deprecated", "readOnly", "writeOnly"),
        *("$schema", "$id", "$comment"),
    }
)
_KEPT = frozenset(
    {
        *("type", "properties", "required", "additionalProperties", "items", "enum", "const"),
        *("anyOf", "description", "$ref", "$defs", "definitions"),
    }
)
_DEEPEST = 10
_MOST_PROPERTIES = 5000
_MOST_VALUES = 1000  # of all enums together


class _UnfitError(Exception):
    """The schema says something that strict mode has no words for."""


def strict(schema: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return a copy of `schema` that strict mode takes, or None when there is none.

    Strict mode wants an object at the root, all properties of every object required and no
    others. The copy lacks keywords that only narrow, so it admits all that `schema` does.
    """
    if schema.get("type") != "object" or "anyOf" in schema or "$ref" in schema:
        return None
    try:
        return _Counts().fit(schema, 1)
    except _UnfitError:
        return None


class _Counts:
    """One pass over a schema, and what strict mode limits over the whole of it."""

    def __init__(self) -> None:
        self.properties = 0
        self.values = 0

    def fit(self, schema: Any, depth: int) -> dict[str, Any]:
        if not isinstance(schema, Mapping) or depth > _DEEPEST:
            raise _UnfitError
        if set(schema) - _KEPT - _LEFT_OUT:
            raise _UnfitError
        if "$ref" in schema:
            return _reference(schema["$ref"])
        kept = {key: schema[key] for key in ("description", "type") if key in schema}
        for name in ("$defs", "definitions"):
            if name in schema:
                kept[name] = {key: self.fit(part, 1) for key, part in schema[name].items()}
        if "anyOf" in schema:
            if {"type", "enum", "const", "properties", "items"} & set(schema):
                raise _UnfitError
            return {**kept, "anyOf": [self.fit(part, depth) for part in schema["anyOf"]]}
        return {**kept, **self._typed(schema, depth)}

    def _typed(self, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
        stated = schema.get("type")
        types = {stated} if isinstance(stated, str) else set(stated or ())
        if not types or types - _TYPES:
            raise _UnfitError
        found: dict[str, Any] = {}
        if "enum" in schema or "const" in schema:
            found["enum"] = self._enum(schema)
        if "object" in types:
            found |= self._object(schema, depth)
        elif {"properties", "required", "additionalProperties"} & set(schema):
            raise _UnfitError
        if "array" in types:
            found["items"] = self.fit(schema.get("items"), depth + 1)
        elif "items" in schema:
            raise _UnfitError
        return found

    def _enum(self, schema: Mapping[str, Any]) -> list[Any]:
        values = list(schema["enum"]) if "enum" in schema else [schema["const"]]
        self.values += len(values)
        if ("enum" in schema and "const" in schema) or self.values > _MOST_VALUES:
            raise _UnfitError
        if any(isinstance(value, Mapping | list) for value in values):
            raise _UnfitError
        return values

    def _object(self, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
        properties = schema.get("properties")
        if not isinstance(properties, Mapping) or schema.get("additionalProperties") is not False:
            raise _UnfitError
        if set(schema.get("required", ())) != set(properties):
            raise _UnfitError
        self.properties += len(properties)
        if self.properties > _MOST_PROPERTIES:
            raise _UnfitError
        return {
            "properties": {key: self.fit(part, depth + 1) for key, part in properties.items()},
            "required": list(properties),
            "additionalProperties": False,
        }


def _reference(target: Any) -> dict[str, Any]:
    if not str(target).startswith("#"):
        raise _UnfitError
    return {"$ref": target}  # alone: strict mode takes no keyword beside it
