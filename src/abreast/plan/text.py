"""Checks that apply to every value of a plan file."""

from collections.abc import Iterator

from abreast.plan.explain import kind_of
from abreast.plan.locate import Path
from abreast.plan.source import Source


def check_text(source: Source) -> None:
    """Add a problem for each string that no program can be given, and each secret in the open."""
    for path, value in _leaves((), source.raw):
        if isinstance(value, str):
            if "\0" in value:
                source.problem(path, "contains a NUL character")
        elif kind_of(value) == "a date" and "agent" in path:  # elsewhere the schema says so
            source.problem(path, "is a date, and a plan has no dates", "put it in quotes")
    names = source.raw.get("pass_env")
    for at, name in enumerate(names if isinstance(names, list) else []):
        if isinstance(name, str) and "=" in name:
            only = name.partition("=")[0]
            source.problem(
                ("pass_env", at),
                f"names variables, but gives `{only}` a value",
                f'export {only} in your shell, and write pass_env = ["{only}"]',
            )


def _leaves(path: Path, value: object) -> Iterator[tuple[Path, object]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves((*path, key), inner)
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from _leaves((*path, at), inner)
    else:
        yield path, value
