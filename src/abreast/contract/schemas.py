"""Whether what a contract asks for is a JSON Schema at all."""

from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from abreast.contract.shapes import Schema
from abreast.errors import ContractError


def check(schema: Schema) -> None:
    """Raise ContractError for what is not a JSON Schema, or needs another document to be read."""
    try:
        Draft202012Validator.check_schema(dict(schema))
        resolver = Registry().resolver_with_root(DRAFT202012.create_resource(schema))
        for reference in _references(schema):
            resolver.lookup(reference)
    except SchemaError as error:
        place = "/".join(map(str, error.path)) or "its root"
        what = f"`returns` is not a JSON Schema: at {place}: {error.message[:300]}"
        raise ContractError(what) from error
    except Unresolvable as error:
        what = f"`returns` refers to {error.ref}, which is not part of it"
        raise ContractError(what, hint="put it into the schema under $defs") from error
    except RecursionError as error:
        raise ContractError("`returns` is nested too deeply") from error


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, Mapping):
        reference = part.get("$ref")
        if isinstance(reference, str):
            yield reference
    inside = part.values() if isinstance(part, Mapping) else part
    for one in inside if isinstance(part, Mapping | list) else ():
        yield from _references(one)
