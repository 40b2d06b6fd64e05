"""The wire formats that the loopback server speaks."""

import importlib

from abreast.loopback.dialect import Dialect


def _load() -> tuple[Dialect, ...]:
    found = []
    for name in ("anthropic", "openai", "gemini"):
        try:
            module = importlib.import_module(f"abreast.loopback.{name}")
        except ModuleNotFoundError:
            continue
        found.append(module.DIALECT)
    return tuple(found)


DIALECTS: tuple[Dialect, ...] = _load()
