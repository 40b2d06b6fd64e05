"""Read a plan from a file or from options, and hold it against the machine: all errors at once."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from abreast.agents import AGENTS
from abreast.engine.check import check_plan
from abreast.model.task import Plan
from abreast.plan.options import plan_from_options
from abreast.plan.overrides import Overrides
from abreast.plan.parse import Parsed, read_plan_file


def read_plan(
    source: Path | None, prompts: Sequence[str], options: Overrides, repo: Path | None
) -> tuple[Plan, list[str]]:
    """Return the checked plan and what the user should know; raises PlanError."""
    names = tuple(AGENTS)
    if source is None:
        parsed = Parsed(plan_from_options(prompts, options, agents=names))
    else:
        parsed = read_plan_file(source, options, agents=names)
    plan = replace(parsed.plan, repo=str((repo or Path.cwd()).resolve()))
    checked = check_plan(plan, os.environ)
    return checked.plan, [*map(str, parsed.warnings), *checked.notes]
