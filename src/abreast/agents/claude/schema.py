"""Which JSON Schemas Claude Code can hold an answer to; it ends at once when given another."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

_LONGEST = 100_000  # bytes; it is an argument of the command line
# Claude Code 2.1.330 compiles the schema as draft 7, and refuses any word it does not know.
_DRAFT = "http://json-schema.org/draft-07/schema"
_ABOUT = {"$comment", "title", "description", "examples", "deprecated", "readOnly", "writeOnly"}
_VALUES = {"type", "enum", "const", "default", "format", "multipleOf", "required", "uniqueItems"}
_BOUNDS = {
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength"),
    *("minItems", "maxItems", "minProperties", "maxProperties"),
}
_SCHEMAS = frozenset({"additionalProperties", "propertyNames", "contains", "items", "not"})
_LISTS = frozenset({"allOf", "anyOf", "oneOf", "items"})
_MAPS = frozenset({"properties", "$defs", "definitions"})
# Its provider takes a tool's arguments as an object only, under names like these.
_NAME = re.compile(r"[a-zA-Z0-9_.-]{1,64}")
# Regular expressions that Python and JavaScript read alike.
_ESCAPE = r"\\[dDwWsSbBnrtfv.\\/\[\](){}*+?|^$]"
_ALIKE = re.compile(
    rf"(?:[^\\{{}}\[\]()]|{_ESCAPE}|\{{\d+(?:,\d*)?\}}|\((?!\?)|\(\?[:=!]|\)"
    rf"|\[\^?(?:[^\\\[\]]|{_ESCAPE}|\\-)+\])*"
)
_POSSESSIVE = re.compile(r"[*+?}]\+")


def takes(schema: Mapping[str, Any]) -> bool:
    """Return whether Claude Code compiles this schema; False when in doubt."""
    if schema.get("type") != "object" or {"allOf", "anyOf", "oneOf"} & schema.keys():
        return False
    draft = str(schema.get("$schema", _DRAFT)).removesuffix("#")
    if draft != _DRAFT or len(json.dumps(schema)) > _LONGEST:
        return False
    inner = {name: value for name, value in schema.items() if name != "$schema"}
    return all(_known(*entry, schema) for part in _parts(inner) for entry in part.items())


def _parts(schema: Any) -> Iterator[Mapping[str, Any]]:
    """Yield a schema and all schemas in it that are no mere booleans."""
    if not isinstance(schema, Mapping):
        return
    yield schema
    for name, value in schema.items():
        if name in _MAPS and isinstance(value, Mapping):
            inside = list(value.values())
        elif name in _LISTS and isinstance(value, list):
            inside = value
        else:
            inside = [value] if name in _SCHEMAS else []
        for one in inside:
            yield from _parts(one)


def _known(name: str, value: Any, root: Mapping[str, Any]) -> bool:
    if name == "pattern":
        return _alike(str(value))
    if name == "$ref":
        return _resolves(str(value), root)
    if name == "properties":
        return isinstance(value, Mapping) and all(_NAME.fullmatch(key) for key in value)
    return name in _ABOUT | _VALUES | _BOUNDS | _SCHEMAS | _LISTS | _MAPS


def _alike(pattern: str) -> bool:
    return _ALIKE.fullmatch(pattern) is not None and not _POSSESSIVE.search(pattern)


def _resolves(reference: str, root: Mapping[str, Any]) -> bool:
    """Return whether a reference points into the schema itself, by plain names."""
    if reference == "#":
        return True
    names = reference.split("/")
    place: Any = root
    for name in names[1:]:
        place = place.get(name) if isinstance(place, Mapping) else None
    return names[0] == "#" and isinstance(place, Mapping | bool)
