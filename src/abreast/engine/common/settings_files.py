"""Files of settings, and the user's own: what client and worker read alike."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from abreast.agents import AGENTS
from abreast.errors import PlanError, Problem
from abreast.model.budget import Budget
from abreast.plan.settings import MIN_FREE_MB, Layer, Level, day_budget_of, min_free_of, read_layer

MOST = 100_000
"""Bytes of a file of settings."""


def user_file(environ: Mapping[str, str]) -> Path:
    """Return where the user's settings are: the file in `ABREAST_CONFIG`, or the platform's."""
    if given := environ.get("ABREAST_CONFIG"):
        return Path(given)
    import platformdirs

    return platformdirs.user_config_path("abreast", appauthor=False) / "config.toml"


def user_layers(environ: Mapping[str, str]) -> list[Layer]:
    """Return the user's settings, none where there is no file of them; raises PlanError."""
    file = user_file(environ)
    text = text_of(file)
    return [read_layer(text, file, Level.USER, tuple(AGENTS))] if text else []


def user_day(environ: Mapping[str, str]) -> Budget:
    """Return what the user's settings allow for a day; raises PlanError."""
    text = text_of(user_file(environ))
    # Whoever has no such limit is spared the reading, which imports pydantic.
    return day_budget_of(user_layers(environ)) if "day" in text else Budget()


def user_min_free(environ: Mapping[str, str]) -> float:
    """Return how many MB of a disk the user's settings keep free; raises PlanError."""
    text = text_of(user_file(environ))
    return min_free_of(user_layers(environ)) if "min_free_mb" in text else MIN_FREE_MB


def text_of(file: Path) -> str:
    """Return a file's text, "" when there is none."""
    try:
        if not _is_file(file):
            return ""
        with file.open("rb") as opened:
            content = opened.read(MOST + 1)
        if len(content) > MOST:
            raise PlanError([too_large(str(file))], what="the settings")
        return content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        said = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        problem = Problem(str(file), f"cannot be read: {said}")
        raise PlanError([problem], what="the settings") from error


def _is_file(file: Path) -> bool:
    """Return whether the file is there; raises PlanError for a folder, a pipe or a device.

    The null device is a file without anything in it.
    """
    try:
        mode = file.stat().st_mode
    except FileNotFoundError:
        return False
    if not stat.S_ISREG(mode) and str(file) != os.devnull:  # a pipe may never end
        raise PlanError([Problem(str(file), "is not a file")], what="the settings")
    return stat.S_ISREG(mode)


def too_large(file: str) -> Problem:
    return Problem(file, f"has more than {MOST} bytes")
