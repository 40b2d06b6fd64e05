"""Finds all parts of a JSON Schema that apply to one place in an answer."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

if TYPE_CHECKING:
    from referencing._core import Resolver

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
