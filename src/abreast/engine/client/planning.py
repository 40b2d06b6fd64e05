"""Read a plan from a file or from options, and hold it against the machine: all errors at once."""

import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from abreast.agents import AGENTS, DEFAULT
from abreast.engine.client.settings import EffectiveSettings, read_settings
from abreast.engine.common.check import check_plan
from abreast.errors import AbreastError, PlanError, Problem
from abreast.git.call import require_git
from abreast.git.repository import find_repository, resolve
from abreast.git.status import find_commit
from abreast.model.task import Plan
from abreast.places import find_places
from abreast.plan.names import task_problems
from abreast.plan.options import NO_OVERRIDES, Overrides, from_environment, plan_from_options
from abreast.plan.parse import NO_SETTINGS, Parsed, parse_plan, parse_prompts, read_text
from abreast.process.files import from_home


def read_plan(
    source: Path | None,
    prompts: Sequence[str] = (),
    overrides: Overrides = NO_OVERRIDES,
    *,
    repo: Path | None = None,
) -> tuple[Plan, list[str]]:
    """Read a plan file, or make a plan of `prompts`, and check it against its repository.

    `overrides` and then the environment go over the plan's defaults, which are those of the
    settings where it says nothing. `repo` is by default the repository around the current
    folder. Returns the plan, its base resolved, and warnings for the user. Raises PlanError with
    everything that is wrong, in the text and with the place, and UntrustedError for settings of the
    project that wait for a yes.
    """
    place = str(repo.resolve()) if repo else ""
    overrides = from_environment(os.environ, overrides, tuple(AGENTS))
    text = read_text(source) if source else ""  # once: it may be a pipe
    said, folder = _keys_of(text), source.parent if source else Path()
    settings = settings_for(said, folder, base=overrides.base, repo=repo)
    settings.require_trusted()
    try:
        parsed = _parse(text, source, prompts, overrides, settings.values)
    except PlanError as error:
        base = overrides.base or _text(said, "base") or "HEAD"
        stand_in = Plan((), base=base, repo=place)
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
    text = read_text(source) if source else ""
    parsed = _parse(text, source, prompts, Overrides(base=base)).plan
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


def settings_for(
    said: Mapping[str, Any] = NO_SETTINGS,
    folder: Path = Path(),
    *,
    base: str = "",
    repo: Path | None = None,
) -> EffectiveSettings:
    """Return the settings for a plan that says this and lies in `folder`, or for a repository.

    The project's are those of the commit that the sessions will start from. `repo` is by default
    the plan's, or else the one around the current folder. Raises PlanError.
    """
    base, own = base or _text(said, "base") or "HEAD", _text(said, "repo")
    folder = folder / from_home(own) if own else Path.cwd()
    places = find_places()
    try:
        found = find_repository((repo or folder).resolve(), worktrees=places.worktrees)
        commit = find_commit(found.where, base)
    except AbreastError:  # whoever needs it says so
        return read_settings(None, "", places, os.environ)
    return read_settings(found if commit else None, commit or "", places, os.environ)


def chosen_agent(base: str, repo: Path | None, model: str) -> tuple[str, str]:
    """Return the agent of the settings, or else the default one, and its model if none is given.

    Raises PlanError, and UntrustedError for settings of the project that wait for a yes.
    """
    settings = settings_for(base=base, repo=repo)
    settings.require_trusted()
    options = from_environment(os.environ, agents=tuple(AGENTS))
    agent = options.agent or settings.values.get("agent", DEFAULT)
    named = agent if isinstance(agent, str) else DEFAULT  # a command is no name
    return named, model or options.model or settings.values.get("model", "")


def _parse(
    text: str,
    source: Path | None,
    prompts: Sequence[str],
    options: Overrides,
    settings: Mapping[str, Any] = NO_SETTINGS,
) -> Parsed:
    agents = tuple(AGENTS)
    if source is not None:
        return parse_plan(text, source, options, agents=agents, settings=settings)
    if settings:
        return Parsed(parse_prompts(prompts, options, agents=agents, settings=settings))
    return Parsed(plan_from_options(prompts, options, agents=agents))


def _problems(plan: Plan) -> Sequence[Problem]:
    try:
        check_plan(plan)
    except PlanError as error:
        return error.problems
    return ()


def _keys_of(text: str) -> Mapping[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError):  # whoever reads all of it says so
        return {}


def _text(keys: Mapping[str, Any], name: str) -> str:
    value = keys.get(name)
    return value if isinstance(value, str) else ""
