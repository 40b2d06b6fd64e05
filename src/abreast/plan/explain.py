"""Turns pydantic's errors about a plan into plain messages."""

import datetime as dt
import difflib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from abreast.plan.source import Source

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError
    from pydantic_core import ErrorDetails

_MUST = {
    "string_type": "must be a string",
    "list_type": "must be a list",
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "model_type": "must be a table",
    "dict_type": "must be a table",
}
_KINDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (bool, "a boolean"),
    (str, "a string"),
    (list, "a list"),
    (dict, "a table"),
    ((dt.date, dt.time), "a date"),
)


def explain(source: Source, error: "ValidationError", schema: "type[BaseModel]") -> None:
    """Add a problem to `source` for each thing that pydantic found."""
    for detail in error.errors(include_url=False):
        _explain(source, detail, schema)


_OWN = {("sandbox",), ("notify",), ("disk",), ("limits", "day")}
"""Keys of a user's own settings, which no plan has."""


def did_you_mean(word: str, known: Iterable[str], kind: str) -> str:
    """Return a hint that names the known word nearest to `word`, or all of them."""
    names = list(known)
    near = difflib.get_close_matches(word, names, n=1)
    return f"did you mean `{near[0]}`?" if near else f"{kind}: {', '.join(names)}"


def kind_of(value: object) -> str:
    """Return what TOML calls a value of this type; a number is called by its value."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return next(name for kinds, name in _KINDS if isinstance(value, kinds))


def _explain(source: Source, detail: "ErrorDetails", schema: "type[BaseModel]") -> None:
    path, kind, value = detail["loc"], detail["type"], detail["input"]
    last = str(path[-1])
    if kind == "extra_forbidden":
        known = did_you_mean(last, _keys(schema, path[:-1]), "keys are")
        own = "it belongs into your own file: abreast settings set"
        source.problem(path, "unknown key", own if path in _OWN else known)
    elif kind == "missing":
        source.problem(path[:-1], f"`{last}` is missing")
    elif kind == "greater_than_equal":
        least = detail["ctx"]["ge"]
        must = f"must be at least {least}" if least else "must not be negative"
        source.problem(path, f"{must}, but is {value}")
    elif kind == "less_than_equal":
        source.problem(path, f"must be at most {detail['ctx']['le']}, but is {value}")
    elif kind == "string_pattern_mismatch":
        source.problem(path, f"is not a {last}'s name: {value}")
    elif kind == "literal_error":
        choices = [choice.strip("'") for choice in detail["ctx"]["expected"].split(" or ")]
        _choice(source, path, value, ", ".join(choices).replace("'", "").split(", "))
    elif path == ("task",):
        source.problem(path, "tasks are written under `[[task]]`, with two brackets")
    else:
        must = _MUST.get(kind, detail["msg"])
        quoted = f'"{value}"' if isinstance(value, str) else str(value)
        hint = f"{last} = [{quoted}]" if kind == "list_type" else None
        source.problem(path, f"{must}, not {kind_of(value)}", hint)


def _choice(source: Source, path: Any, value: object, choices: list[str]) -> None:
    given = f"`{value}`" if isinstance(value, str) else kind_of(value)
    hint = did_you_mean(value, choices, "choices are") if isinstance(value, str) else None
    source.problem(path, f"must be one of {', '.join(choices)}, not {given}", hint)


def _keys(schema: "type[BaseModel]", path: tuple[str | int, ...]) -> list[str]:
    """Return the keys that the table at `path` may have."""
    fields: Mapping[str, Any] = schema.model_fields
    for part in path:
        if isinstance(part, int):
            continue
        inner = fields[part].annotation
        model = next(
            (m for m in getattr(inner, "__args__", ()) if hasattr(m, "model_fields")), inner
        )
        fields = model.model_fields
    return sorted(fields)
