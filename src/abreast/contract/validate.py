"""Whether a child's answer is what its contract asks for, whatever the CLI claims."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from abreast.contract.shapes import NOTHING, Schema

# Whole answers that models give to satisfy a schema without saying anything
# (anthropics/claude-code#77026), lower-case and without punctuation around them.
_PLACEHOLDERS = frozenset(
    {
        *("test", "todo", "tbd", "fixme", "placeholder", "string", "example", "foo", "bar", "baz"),
        *("lorem", "ipsum", "lorem ipsum", "null", "undefined", "to be determined"),
        *("your answer here", "insert text here"),
    }
)
# Pointers to a text that the parent will never see (anthropics/claude-code#88580).
_POINTER = re.compile(
    r"\W*(?:please\s+)?(?:see|refer to|as)?\s*(?:the|my)?\s*(?:full|complete)?\s*"
    r"(?:report|list|summary|analysis|answer|findings|response|output|table)?\s*(?:is|was|are)?\s*"
    r"(?:described|stated|reported|listed|given|provided|shown)?\s*(?:above|earlier|previously)\W*",
    re.IGNORECASE,
)
_MOST = 20  # problems told at once: more do not help to repair


def problems(value: Any, schema: Schema) -> list[str]:
    """Return what is wrong with `value`, each as `where: what`; empty when it is as asked for."""
    found = [*_shape(value, schema)]
    if not found:
        found = [*_substance(value, schema, "")]
    return found[:_MOST]


def _shape(value: Any, schema: Schema) -> Iterator[str]:
    from jsonschema import Draft202012Validator

    validator = Draft202012Validator(dict(schema))
    for error in sorted(validator.iter_errors(value), key=lambda e: list(map(str, e.path))):
        yield f"{_place(error.path)}: {error.message[:300]}"


def _place(path: Sequence[object]) -> str:
    words = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in path]
    return "".join(words).lstrip(".") or "the answer"


def _substance(value: Any, schema: Schema, where: str) -> Iterator[str]:
    """Yield what satisfies the schema and says nothing."""
    if isinstance(value, str):
        yield from _empty_words(value, where)
    elif isinstance(value, list):
        items = schema.get("items")
        for number, item in enumerate(value):
            inner = items if isinstance(items, Mapping) else {}
            yield from _substance(item, inner, f"{where}[{number}]")
    elif isinstance(value, dict):
        yield from _of_object(value, schema, where)


def _of_object(value: Mapping[str, Any], schema: Schema, where: str) -> Iterator[str]:
    properties = schema.get("properties", {})
    told = isinstance(value.get(NOTHING), str) and bool(str(value[NOTHING]).strip())
    for name, part in value.items():
        inner = properties.get(name, {}) if isinstance(properties, Mapping) else {}
        place = f"{where}.{name}".lstrip(".")
        if part == [] and name in schema.get("required", ()) and "minItems" not in inner:
            if NOTHING not in properties:
                yield f"{place}: is empty; leave nothing out, or say why there is nothing"
            elif not told:
                yield f"{place}: is empty, and {NOTHING} does not say what was searched"
        elif isinstance(part, list) and part and told and name in schema.get("required", ()):
            yield f"{NOTHING}: must be null, because {place} has entries"
        yield from _substance(part, inner, place)
    if {"columns", "rows"} <= set(value):
        yield from _ragged(value["columns"], value["rows"])


def _ragged(columns: Any, rows: Any) -> Iterator[str]:
    for number, row in enumerate(rows if isinstance(rows, list) else ()):
        if isinstance(row, list) and len(row) != len(columns):
            yield f"rows[{number}]: has {len(row)} cells, but there are {len(columns)} columns"


def _empty_words(text: str, where: str) -> Iterator[str]:
    bare = text.strip().strip("\"'`*_<>[]() .!").lower()
    if not text.strip():
        yield f"{where}: is blank"
    elif bare in _PLACEHOLDERS or not bare:
        yield f"{where}: {text.strip()[:40]!r} is a placeholder"
    elif _POINTER.fullmatch(text.strip()):
        yield f"{where}: points to a text that is not part of the answer; give the text itself"
    elif text.lstrip().startswith(("[", "{")) and _is_json(text):
        yield f"{where}: holds JSON in a string; give the list or object itself"


def _is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), list | dict)
    except (ValueError, RecursionError):
        return False
