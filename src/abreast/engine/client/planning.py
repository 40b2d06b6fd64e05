"""Read a plan from a file or from options, and hold it against the machine: all errors at once."""

import os
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from abreast.agents import AGENTS
from abreast.engine.common.check import check_plan
from abreast.errors import AbreastError, PlanError, Problem
from abreast.git.call import require_git
from abreast.git.repository import find_repository, resolve
from abreast.git.status import find_commit
from abreast.model.task import Plan
from abreast.places import find_places
from abreast.plan.names import task_problems
from abreast.plan.options import NO_OVERRIDES, Overrides, plan_from_options
from abreast.plan.parse import Parsed, read_plan_file


def read_plan(
    source: Path | None,
    prompts: Sequence[str] = (),
    overrides: Overrides = NO_OVERRIDES,
    *,
    repo: Path | None = None,
) -> tuple[Plan, list[str]]:
    """Read a plan file, or make a plan of `prompts`, and check it against its repository.

    `overrides` go over the plan's defaults. `repo` is by default the repository around the current
    folder. Returns the plan, its base resolved, and warnings for the user. Raises PlanError with
    everything that is wrong, in the text and with the place.
    """
    place = str(repo.resolve()) if repo else ""
    try:
        parsed = _parse(source, prompts, overrides)
    except PlanError as error:
        stand_in = Plan((), base=overrides.base or _base_of(source), repo=place)
        raise PlanError([*error.problems, *_problems(stand_in)]) from None
    plan = replace(parsed.plan, repo=place or parsed.plan.repo or str(Path.cwd()))
    checked = check_plan(plan, os.environ)
    return checked.plan, [*map(str, parsed.warnings), *checked.notes]


def plan_to_check(
    source: Path | None, prompts: Sequence[str], base: str, repo: Path | None
) -> Plan:
    """Return a plan for the gate: its base resolved to a commit, "" where there is none yet.

    Nobody is going to work on it, so its agents are not looked for. Raises PlanError.
    """
    parsed = _parse(source, prompts, Overrides(base=base)).plan
    plan = replace(parsed, repo=str(repo.resolve() if repo else parsed.repo or Path.cwd()))
    problems = [*task_problems(plan)]
    try:
        require_git()
        found = find_repository(Path(plan.repo), worktrees=find_places().worktrees)
        unborn = plan.base == "HEAD" and find_commit(found.where, "HEAD") is None
        plan = replace(plan, base_sha="" if unborn else resolve(found, plan.base))
    except AbreastError as error:
        problems.append(Problem("repository", error.message, error.hint))
    if problems:
        raise PlanError(problems)
    return plan


def _parse(source: Path | None, prompts: Sequence[str], options: Overrides) -> Parsed:
    if source is None:
        return Parsed(plan_from_options(prompts, options, agents=tuple(AGENTS)))
    return read_plan_file(source, options, agents=tuple(AGENTS))


def _problems(plan: Plan) -> Sequence[Problem]:
    try:
        check_plan(plan)
    except PlanError as error:
        return error.problems
    return ()


def _base_of(source: Path | None) -> str:
    """Return the base that a plan names, even if other parts of it are wrong."""
    try:
        base = tomllib.loads(source.read_text(encoding="utf-8-sig")).get("base") if source else None
    except (OSError, ValueError):
        base = None
    return base if isinstance(base, str) else "HEAD"
