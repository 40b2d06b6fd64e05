"""Names of a package that are loaded on first use: one call need not import what all others do."""

import sys
from collections.abc import Iterable
from importlib import import_module


def load(package: str, name: str, homes: Iterable[str]) -> object:
    """Return what the first of the modules `homes` has under a public name, and keep it.

    Raises AttributeError, as a package's `__getattr__` has to, when the name is not in its
    `__all__`.
    """
    module = sys.modules[package]
    if name in module.__all__:
        for home in map(import_module, homes):
            if hasattr(home, name):
                value: object = getattr(home, name)
                setattr(module, name, value)
                return value
    raise AttributeError(f"module {package!r} has no attribute {name!r}")
