"""The shapes a contract can ask for: presets by name, or any JSON Schema."""

from collections.abc import Mapping
from typing import Any

from abreast.errors import ContractError

Schema = Mapping[str, Any]
NOTHING = "nothing_found"
VALUE = "value"

_TEXT: Schema = {"type": "string", "minLength": 1}


def _object(**properties: Schema) -> Schema:
    # Codex's strict mode wants every property required and no others; the rest do not mind.
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _list(name: str, items: Schema) -> Schema:
    """A list that may be empty only if the child says what it looked for in vain."""
    nothing: Schema = {
        "type": ["string", "null"],
        "description": f"If there are no {name}: what was searched, and that nothing was there.",
    }
    entries = {"type": "array", "items": items}
    return _object(**{name: entries, NOTHING: nothing})


PRESETS: Mapping[str, Schema] = {
    "text": _object(text=_TEXT),
    "bullets": _list("bullets", _TEXT),
    "paths": _list("paths", {**_TEXT, "description": "relative to the repository"}),
    "table": _object(
        columns={"type": "array", "items": _TEXT, "minItems": 1},
        rows={"type": "array", "items": {"type": "array", "items": {"type": "string"}}},
        **{NOTHING: {"type": ["string", "null"]}},
    ),
    "yes-no": _object(answer={"type": "string", "enum": ["yes", "no", "unclear"]}, why=_TEXT),
    "findings": _list(
        "findings",
        _object(
            title=_TEXT,
            where={**_TEXT, "description": "path, or path:line"},
            detail=_TEXT,
            severity={"type": "string", "enum": ["high", "medium", "low"]},
        ),
    ),
}


def schema_of(returns: str | Schema) -> Schema:
    """Return the JSON Schema, with an object at its root, that `returns` stands for.

    A schema of any other type is wrapped as the one property `value`. Raises ContractError for an
    unknown preset, and for what is no JSON Schema.
    """
    if isinstance(returns, str):
        try:
            return PRESETS[returns]
        except KeyError:
            raise ContractError(
                f"there is no shape called {returns!r}",
                hint=f"shapes are {', '.join(PRESETS)}, or give a JSON Schema",
            ) from None
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError

    try:
        Draft202012Validator.check_schema(dict(returns))
    except SchemaError as error:
        place = "/".join(map(str, error.path)) or "its root"
        raise ContractError(f"`returns` is no JSON Schema: at {place}: {error.message}") from error
    if returns.get("type") == "object" or "properties" in returns:
        return returns
    return _object(**{VALUE: returns})
