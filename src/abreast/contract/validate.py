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
# Pointers to a text that the parent will never see (anthropics/claude-code#88580). The text is
# without runs of spaces, each of which the expression could divide in very many ways.
_POINTER = re.compile(
    r"\W*(?:please\s+)?(?:see|refer to|as)?\s*(?:the|my)?\s*(?:full|complete)?\s*"
    r"(?:report|list|summary|analysis|answer|findings|response|output|table)?\s*(?:is|was|are)?\s*"
    r"(?:described|stated|reported|listed|given|provided|shown)?\s*(?:above|earlier|previously)\W*",
    re.IGNORECASE,
)
_PATHS = "paths"  # the list in which any word may be the name of a folder
_LONGEST_POINTER = 200  # characters
_MOST = 20  # problems told at once: more do not help to repair


def problems(value: Any, schema: Schema) -> list[str]:
    """Return what is wrong with `value`, each as `where: what`; empty when it is as asked for."""
    found = [*_shape(value, schema)]
    if not found:
        found = [*_substance(value, schema, "")]
    return found[:_MOST]


def _shape(value: Any, schema: Schema) -> Iterator[str]:
    from jsonschema import Draft202012Validator
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    # Without a registry of its own, what a schema refers to is fetched, from files and the net.
    validator = Draft202012Validator(dict(schema), registry=Registry())
    try:
        errors = sorted(validator.iter_errors(value), key=lambda e: list(map(str, e.path)))
    except (Unresolvable, RecursionError):
        yield "the answer: cannot be checked, because the schema refers to itself, or to nothing"
        return
    for error in errors:
        yield f"{_place(error.path)}: {error.message[:300]}"


def _place(path: Sequence[object]) -> str:
    words = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in path]
    return "".join(words).lstrip(".") or "the answer"


def _substance(value: Any, schema: Any, where: str) -> Iterator[str]:
    """Yield what satisfies the schema and says nothing."""
    if isinstance(value, str):
        chosen = isinstance(schema, Mapping) and bool({"enum", "const"} & {*schema})
        yield from () if chosen else _empty_words(value, where)
    elif isinstance(value, list):
        inner = _inside(schema, "items")
        # Among other words `test` is a name; alone it is what a model says that says nothing.
        named = where == _PATHS or any(isinstance(i, str) and not _is_empty(i) for i in value)
        for number, item in enumerate(value):
            if not (named and isinstance(item, str) and _bare(item) in _PLACEHOLDERS):
                yield from _substance(item, inner, f"{where}[{number}]")
    elif isinstance(value, dict):
        yield from _of_object(value, schema, where)


def _of_object(value: Mapping[str, Any], schema: Any, where: str) -> Iterator[str]:
    properties = _inside(schema, "properties")
    required = schema.get("required", ()) if isinstance(schema, Mapping) else ()
    told = isinstance(value.get(NOTHING), str) and bool(str(value[NOTHING]).strip())
    for name, part in value.items():
        inner = _inside(properties, name)
        place = f"{where}.{name}".lstrip(".")
        if part == [] and name in required and "minItems" not in inner:
            if NOTHING not in properties:
                yield f"{place}: is empty; leave nothing out, or say why there is nothing"
            elif not told:
                yield f"{place}: is empty, and {NOTHING} does not say what was searched"
        elif isinstance(part, list) and part and told and name in required:
            yield f"{NOTHING}: must be null, because {place} has entries"
        yield from _substance(part, inner, place)
    if {"columns", "rows"} <= set(value):
        yield from _ragged(value["columns"], value["rows"])


def _inside(schema: Any, name: str) -> Mapping[str, Any]:
    """Return the part `name` of a schema, each of which may also be a mere boolean."""
    found = schema.get(name) if isinstance(schema, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _ragged(columns: Any, rows: Any) -> Iterator[str]:
    both = isinstance(columns, list) and isinstance(rows, list)
    for number, row in enumerate(rows if both else ()):
        if isinstance(row, list) and len(row) != len(columns):
            yield f"rows[{number}]: has {len(row)} cells, but there are {len(columns)} columns"


def _empty_words(text: str, where: str) -> Iterator[str]:
    if not text.strip():
        yield f"{where}: is blank"
    elif _is_empty(text):
        yield f"{where}: {text.strip()[:40]!r} is a placeholder"
    elif _points(text):
        yield f"{where}: points to a text that is not part of the answer; give the text itself"
    elif text.lstrip().startswith(("[", "{")) and _is_json(text):
        yield f"{where}: holds JSON in a string; give the list or object itself"


def _bare(text: str) -> str:
    return text.strip().strip("\"'`*_<>[]() .!").lower()


def _is_empty(text: str) -> bool:
    return _bare(text) in {"", *_PLACEHOLDERS}


def _points(text: str) -> bool:
    line = " ".join(text[: 2 * _LONGEST_POINTER].split())
    return len(line) < _LONGEST_POINTER and _POINTER.fullmatch(line) is not None


def _is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), list | dict)
    except (ValueError, RecursionError):
        return False
