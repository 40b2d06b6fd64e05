"""Names of a package that are loaded on first use: one call need not import what all others do."""

import re
import sys
from functools import cache
from importlib import import_module
from pathlib import Path

_IMPORT = re.compile(r"^from (\S+) import (?:\(([^)]*)\)|(.*))$", re.MULTILINE)
_NAME = re.compile(r" as (\w+)")


def load(package: str, name: str) -> object:
    """Return what a package has under a name that its stub lists, and keep it; also `__all__`.

    The stub, `__init__.pyi`, is the one list of what the package offers: type checkers read it too.
    Raises AttributeError for any other name.
    """
    homes = _listed(package)
    if name == "__all__":
        return sorted(homes)
    if name not in homes:
        raise AttributeError(f"module {package!r} has no attribute {name!r}")
    value: object = getattr(import_module(homes[name]), name)
    setattr(sys.modules[package], name, value)
    return value


@cache
def _listed(package: str) -> dict[str, str]:
    """Return the module that each name of a package comes from."""
    stub = Path(str(sys.modules[package].__file__)).with_suffix(".pyi")
    found: dict[str, str] = {}
    for home, many, one in _IMPORT.findall(stub.read_text(encoding="utf-8")):
        found |= _listed(home) if one == "*" else dict.fromkeys(_NAME.findall(many or one), home)
    return found
