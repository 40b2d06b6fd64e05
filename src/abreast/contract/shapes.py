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
    """Return the shape of a list that may be empty only if the child says what it searched."""
    nothing: Schema = {
        "type": ["string", "null"],
        "description": f"If there are no {name}, say what was searched. Otherwise null.",
    }
    entries = {"type": "array", "items": items}
    return _object(**{name: entries, NOTHING: nothing})


PRESETS: Mapping[str, Schema] = {
    "text": _object(text=_TEXT),
    "bullets": _list("bullets", _TEXT),
    "paths": _list("paths", {**_TEXT, "description": "relative to the repository root"}),
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
    unknown preset, and for what is not a JSON Schema.
    """
    if isinstance(returns, str):
        try:
            return PRESETS[returns]
        except KeyError:
            raise ContractError(
                f"there is no shape called {returns!r}",
                hint=f"the shapes are {', '.join(PRESETS)}, or give a JSON Schema",
            ) from None
    # The presets are fit as they are; the library that checks schemas takes its time to import.
    from abreast.contract.validate import check

    check(returns)
    if returns.get("type") == "object" or "properties" in returns:
        return returns
    # What is in it refers to places in it from its root, which it no longer is.
    inside = returns if "$id" in returns else _moved(returns, f"#/properties/{VALUE}")
    return _object(**{VALUE: inside})


def _moved(part: Any, place: str) -> Any:
    """Return a part of a schema whose root is now at `place`."""
    if isinstance(part, list):
        return [_moved(one, place) for one in part]
    if not isinstance(part, Mapping):
        return part
    moved = {name: _moved(one, place) for name, one in part.items()}
    reference = part.get("$ref")
    if isinstance(reference, str) and (reference == "#" or reference.startswith("#/")):
        moved["$ref"] = place + reference[1:]
    return moved
