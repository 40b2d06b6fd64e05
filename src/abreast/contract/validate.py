"""Validates a contract's JSON Schema, and a child's answer against it, whatever the CLI claims."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from abreast.contract.hollow import hollow, is_empty, is_placeholder, says_only_nothing, stuffed
from abreast.contract.shapes import NOTHING, Schema
from abreast.errors import ContractError

if TYPE_CHECKING:
    from referencing._core import Resolver


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


_PARTS = 50  # references and alternatives that are followed at one place


@dataclass(frozen=True)
class Asked:
    """All parts of a schema that apply to one place, each with what its references are read by."""

    parts: "tuple[tuple[Mapping[str, Any], Resolver[Any]], ...]" = ()

    def says(self, *keywords: str) -> bool:
        """Return whether any of the keywords is used."""
        return any(word in schema for schema, _ in self.parts for word in keywords)

    def names(self, keyword: str) -> set[str]:
        """Return the names under `required` or `properties`."""
        return {name for schema, _ in self.parts for name in schema.get(keyword, ())}

    def items(self, value: Any) -> "Asked":
        """Return what is asked of `value`, an entry of the list at this place."""
        return Asked(
            tuple(
                part
                for schema, resolver in self.parts
                for part in _apply(schema.get("items"), resolver, value)
            )
        )

    def property(self, name: str, value: Any) -> "Asked":
        """Return what is asked of `value`, the property `name` of the object at this place."""
        return Asked(
            tuple(
                part
                for schema, resolver in self.parts
                for part in _apply(schema.get("properties", {}).get(name), resolver, value)
            )
        )


def ask_of(schema: Mapping[str, Any], value: Any) -> Asked:
    """Return what a whole schema asks of a valid answer."""
    resolver = Registry().resolver_with_root(DRAFT202012.create_resource(schema))
    return Asked(tuple(_apply(schema, resolver, value)))


def _apply(
    schema: Any, resolver: "Resolver[Any]", value: Any
) -> "Iterator[tuple[Mapping[str, Any], Resolver[Any]]]":
    """Yield a schema, what it refers to, all of its `allOf`, and the alternatives that fit."""
    waiting, left = [(schema, resolver)], _PARTS
    while waiting and left:
        part, by = waiting.pop()
        if not isinstance(part, Mapping):  # none, or true or false
            continue
        left -= 1
        yield part, by
        if isinstance(part.get("$ref"), str):
            met = by.lookup(part["$ref"])
            waiting.append((met.contents, met.resolver))
        waiting += [(one, by) for one in part.get("allOf", ())]
        either = [one for name in ("anyOf", "oneOf") for one in part.get(name, ())]
        waiting += [(one, by) for one in either if _fits(value, one)]


def _fits(value: Any, schema: Any) -> bool:
    """Return whether an alternative is of the type of `value`, as far as it names one."""
    if not isinstance(schema, Mapping) or "type" not in schema:
        return True
    return Draft202012Validator({"type": schema["type"]}).is_valid(value)


_PATHS = "paths"  # the list in which any word may be the name of a folder
_ROWS = "rows"  # of a table, whose cells may be blank
_MOST = 20  # problems told at once: more do not help to repair


def problems(value: Any, schema: Schema) -> list[str]:
    """Return what is wrong with `value`, each as `where: what`; empty when it is valid."""
    # Without a registry of its own, what a schema refers to is fetched, from files and the net.
    validator = Draft202012Validator(dict(schema), registry=Registry())
    try:
        wrong = sorted(validator.iter_errors(value), key=lambda error: list(map(str, error.path)))
        found = [f"{_place(error.path)}: {error.message[:300]}" for error in wrong]
        found = found or [*_substance(value, ask_of(schema, value), "")]
    except (Unresolvable, RecursionError):
        return ["the answer: cannot be checked, because the schema refers to itself, or to nothing"]
    return found[:_MOST]


def _place(path: Sequence[object]) -> str:
    words = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in path]
    return "".join(words).lstrip(".") or "the answer"


def _substance(value: Any, asked: Asked, where: str) -> Iterator[str]:
    """Yield the parts that satisfy the schema but have no content."""
    if isinstance(value, str):
        yield from () if asked.says("enum", "const") else hollow(value, where)
    elif isinstance(value, list):
        yield from _of_list(value, asked, where)
    elif isinstance(value, dict):
        yield from _of_object(value, asked, where)


def _of_list(value: Sequence[Any], asked: Asked, where: str) -> Iterator[str]:
    # Among other words `test` is a name; alone it is what a model says that says nothing.
    told = any(isinstance(one, str) and not is_empty(one) for one in value)
    cells = told and where.startswith(f"{_ROWS}[")
    for number, item in enumerate(value):
        place = f"{where}[{number}]"
        if not isinstance(item, str):
            yield from _substance(item, asked.items(item), place)
        elif not ((told or where == _PATHS) and is_placeholder(item)) and not (
            cells and is_empty(item)
        ):
            yield from _substance(item, asked.items(item), place)
            yield from stuffed(item, place, path=where == _PATHS)


def _of_object(value: Mapping[str, Any], asked: Asked, where: str) -> Iterator[str]:
    required, may_be_nothing = asked.names("required"), NOTHING in asked.names("properties")
    told = isinstance(value.get(NOTHING), str) and bool(str(value[NOTHING]).strip())
    for name, part in value.items():
        inner = asked.property(name, part)
        place = f"{where}.{name}".lstrip(".")
        if isinstance(part, list) and name in required and not inner.says("minItems"):
            if not part and not may_be_nothing:
                yield f"{place}: is empty; it needs at least one entry"
            elif not part and not told:
                yield f"{place}: is empty, so {NOTHING} must say what was searched"
            elif part and told:
                yield f"{NOTHING}: must be null, because {place} has entries"
            elif not part and says_only_nothing(str(value[NOTHING])):
                yield f"{NOTHING}: must say what was searched"
            elif may_be_nothing and _only_nothing(part, name):
                yield (
                    f"{place}: its only entry says that there is none; leave the list empty, and "
                    f"say in {NOTHING} what was searched"
                )
        yield from _substance(part, inner, place)
    if {"columns", _ROWS} <= set(value):
        yield from _ragged(value["columns"], value[_ROWS])


def _only_nothing(entries: Sequence[Any], name: str) -> bool:
    if len(entries) != 1 or not isinstance(entries[0], str):
        return False
    return says_only_nothing(entries[0]) and (name != _PATHS or " " in entries[0].strip())


def _ragged(columns: Any, rows: Any) -> Iterator[str]:
    both = isinstance(columns, list) and isinstance(rows, list)
    for number, row in enumerate(rows if both else ()):
        if isinstance(row, list) and len(row) != len(columns):
            yield f"rows[{number}]: has {len(row)} cells, but there are {len(columns)} columns"
