"""JSON Schemas (draft 2020-12) of what `--json` prints, from the types of what is printed."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints, is_typeddict

import msgspec

from abreast.cli import as_json
from abreast.cli.documents import DOCUMENTS, ErrorDocument

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TEMPLATE = "#/$defs/{name}"
Shape = dict[str, Any]


def document_schema(verb: str) -> Shape:
    """Return the schema of one document of a verb, or of its error.

    All that is printed is required. Further keys are allowed: a later version may print more.
    """
    return _schema(f"abreast {verb} --json", [*DOCUMENTS[verb], ErrorDocument])


def _schema(title: str, documents: list[Any]) -> Shape:
    kinds = {kind.__name__: kind for kind in _reached(documents)}
    added = {n: as_json.added(kind) for n, kind in kinds.items() if not is_typeddict(kind)}
    more = [of for types in added.values() for of in types.values()]
    shapes, parts = msgspec.json.schema_components(
        [*documents, *more], schema_hook=_path, ref_template=_TEMPLATE
    )
    tail = iter(shapes[len(documents) :])
    for name, types in added.items():
        _as_printed(kinds[name], parts[name], {key: next(tail) for key in types})
    choices = [_with_number(parts[kind.__name__]) for kind in documents]
    whole = {name: part for name, part in sorted(parts.items()) if kinds.get(name) not in documents}
    for name in {kind.__name__ for kind in documents} & _named([choices, whole]):
        whole[name] = parts[name]  # a part of another document, too
    return {"$schema": DIALECT, "title": title, "anyOf": choices, "$defs": whole}


def _named(shapes: Any) -> set[str]:
    """Return the names of the definitions that these schemas refer to."""
    return set(re.findall(r'"#/\$defs/(\w+)"', json.dumps(shapes)))


def _as_printed(kind: type, part: Shape, added: Shape) -> None:
    """Change a dataclass's schema into that of what `as_json.plain` prints of it."""
    known = part["properties"] | added
    told = {name: known[name] for name in known if name not in as_json.left_out(kind)}
    for name, shape in told.items():
        shape.pop("default", None)
        if name in as_json.null_for_zero(kind):
            told[name] = {"anyOf": [shape, {"type": "null"}]}
    part["properties"] = told
    part["required"] = [name for name in told if name not in as_json.SOMETIMES]


def _with_number(part: Shape) -> Shape:
    """Return a document's schema with the `schema` number in it."""
    number = {"schema": {"const": as_json.SCHEMA}}
    return {
        **part,
        "properties": number | part["properties"],
        "required": ["schema", *part.get("required", ())],
    }


def _path(kind: type) -> Shape:
    if issubclass(kind, Path):
        return {"type": "string"}
    raise NotImplementedError(kind)


def _reached(given: Sequence[Any]) -> Iterator[type]:
    """Yield all dataclasses and typed dictionaries that values of these types hold."""
    seen: set[type] = set()
    left = [*given]
    while left:
        kind = left.pop()
        left += get_args(kind)
        if not isinstance(kind, type) or kind in seen:
            continue
        seen.add(kind)
        if is_typeddict(kind):
            left += get_type_hints(kind).values()
            yield kind
        elif is_dataclass(kind):
            hints = get_type_hints(kind)
            left += [*(hints[one.name] for one in fields(kind)), *as_json.added(kind).values()]
            yield kind
