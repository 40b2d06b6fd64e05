"""Reads a plan file and reports every problem at once, by line and key."""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from abreast.errors import PlanError, Problem
from abreast.model.task import Plan
from abreast.plan.build import build_plan
from abreast.plan.overrides import NO_OVERRIDES, Overrides
from abreast.plan.source import Source


@dataclass(frozen=True)
class Parsed:
    """A plan and its warnings."""

    plan: Plan
    warnings: tuple[Problem, ...] = ()


def read_plan_file(
    file: Path,
    options: Overrides = NO_OVERRIDES,
    *,
    agents: Sequence[str],
) -> Parsed:
    """Read the plan in `file`, with `options` over its defaults; raises PlanError.

    `agents` are the names of all agents, the default one first. Paths in the plan
    are relative to its folder.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        said = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise PlanError([Problem(str(file), f"cannot be read: {said}")]) from error
    return parse_plan(text, file, options, agents=agents)


def parse_plan(
    text: str,
    file: Path,
    options: Overrides = NO_OVERRIDES,
    *,
    agents: Sequence[str],
) -> Parsed:
    """Read a plan from `text`, as if it stood in `file`; raises PlanError."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PlanError([_syntax(text, file, error)]) from error
    source = Source(str(file), text, raw)
    plan = build_plan(source, file.parent, options, agents)
    problems = [*source.in_order(), *options.problems(agents)]
    if problems or plan is None:
        raise PlanError(problems)
    return Parsed(plan, tuple(source.warnings))


def _syntax(text: str, file: Path, error: tomllib.TOMLDecodeError) -> Problem:
    message = str(error)
    found = re.search(r" \(at (?:line (\d+), column (\d+)|end of document)\)$", message)
    if found is None:
        return Problem(str(file), f"is not valid TOML: {message}")
    line = int(found[1]) if found[1] else max(1, len(text.splitlines()))
    column = f", column {found[2]}" if found[2] else ", at the end"
    return Problem(f"{file}:{line}", f"is not valid TOML{column}: {message[: found.start()]}")
