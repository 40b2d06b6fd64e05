"""Reads a plan file, checks it, builds the plan, and reports every problem by line and key."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from abreast.errors import PlanError, Problem
from abreast.model.budget import Budget
from abreast.model.gate import GateMode
from abreast.model.limits import Limits
from abreast.model.pull_request import ForgeName, RequestOptions
from abreast.model.session import LandMode, LandStyle
from abreast.model.task import REPAIRS, AgentChoice, Plan
from abreast.plan.explain import explain, kind_of
from abreast.plan.options import NO_OVERRIDES, Overrides, plan_from_options
from abreast.plan.source import KeyPath, Source, merged
from abreast.plan.tasks import (
    Defaults,
    build_task,
    check_fallback,
    check_tasks,
    merge_budget,
    merge_limits,
    read_choice,
)
from abreast.process.files import from_home

NO_SETTINGS: Mapping[str, Any] = MappingProxyType({})


def check_text(source: Source) -> None:
    """Add a problem for each NUL character, each date, and each secret in the plan."""
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


def _leaves(path: KeyPath, value: object) -> Iterator[tuple[KeyPath, object]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves((*path, key), inner)
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from _leaves((*path, at), inner)
    else:
        yield path, value


def build_plan(
    source: Source,
    folder: Path,
    options: Overrides,
    agents: Sequence[str],
    settings: Mapping[str, Any] = NO_SETTINGS,
) -> Plan | None:
    """Return the plan, or None when `source` has problems.

    `settings` stand for what it does not say.
    """
    from pydantic import ValidationError

    from abreast.plan.schema import PlanTable

    check_text(source)
    prompts = check_tasks(source, folder)
    default, chosen = _choices(source, agents, settings)
    try:
        table = PlanTable.model_validate(merged((settings, source.raw)))
    except ValidationError as error:
        explain(source, error, PlanTable)
        return None
    if not source.sound:
        return None
    defaults = Defaults(
        agent=AgentChoice(options.agent) if options.agent else default,
        model=options.model or table.model or "",
        setup=options.setup or table.setup or "",
        verify=options.verify or table.verify or "",
        limits=merge_limits(Limits(), table.limits),
        repairs=REPAIRS if table.repairs is None else table.repairs,
        fallback=tuple(table.fallback or ()),
        network=table.network is not False,
    )
    tasks = tuple(
        build_task(task, prompts[at], chosen.get(at), defaults)
        for at, task in enumerate(table.task)
    )
    plan = Plan(
        tasks=tasks,
        base=table.base,
        target=table.target,
        repo=str((folder / from_home(table.repo)).resolve()) if table.repo else "",
        max_parallel=table.max_parallel,
        land=LandMode(table.land),
        land_style=LandStyle(table.land_style),
        co_author=table.co_author,
        warn_agents=table.warn_agents,
        land_hooks=table.land_hooks,
        batch=table.batch,
        gate=GateMode(table.gate),
        setup_timeout_minutes=table.setup_timeout_minutes,
        verify_timeout_minutes=table.verify_timeout_minutes,
        pass_env=tuple(table.pass_env),
        pool=table.pool,
        budget=merge_budget(Budget(), table.limits.run),
        source=source.file,
        pr=RequestOptions(ForgeName(table.pr.forge), table.pr.draft, tuple(table.pr.labels)),
    )
    return options.over(plan)


def _choices(
    source: Source, agents: Sequence[str], settings: Mapping[str, Any]
) -> tuple[AgentChoice, dict[int, AgentChoice]]:
    """Return the agent of the plan, and those of the tasks that choose their own."""
    raw = source.raw.get("agent", settings.get("agent", agents[0]))
    default = read_choice(source, ("agent",), raw, agents)
    own = {
        at: read_choice(source, ("task", at, "agent"), task["agent"], agents)
        for at, task in source.tasks
        if "agent" in task
    }
    check_fallback(source, ("fallback",), source.raw.get("fallback"), agents)
    for at, task in source.tasks:
        check_fallback(source, ("task", at, "fallback"), task.get("fallback"), agents)
    return default, own


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
    settings: Mapping[str, Any] = NO_SETTINGS,
) -> Parsed:
    """Read the plan in `file`, with `options` over its defaults; raises PlanError.

    `agents` are the names of all agents, the default one first. `settings` stand for what the plan
    does not say. Paths in the plan are relative to its folder.
    """
    return parse_plan(read_text(file), file, options, agents=agents, settings=settings)


def read_text(file: Path) -> str:
    """Return the text of a plan file, which may be a pipe; raises PlanError."""
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        said = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise PlanError([Problem(str(file), f"cannot be read: {said}")]) from error


def parse_plan(
    text: str,
    file: Path,
    options: Overrides = NO_OVERRIDES,
    *,
    agents: Sequence[str],
    settings: Mapping[str, Any] = NO_SETTINGS,
) -> Parsed:
    """Read a plan from `text`, as if it stood in `file`; raises PlanError."""
    source = read_source(text, file)
    plan = build_plan(source, file.parent, options, agents, settings)
    problems = [*source.in_order(), *options.problems(agents)]
    if problems or plan is None:
        raise PlanError(problems)
    return Parsed(plan, tuple(source.warnings))


def parse_prompts(
    prompts: Sequence[str],
    options: Overrides,
    *,
    agents: Sequence[str],
    settings: Mapping[str, Any],
) -> Plan:
    """Return a plan with a task for each prompt, for the rest as `settings` say.

    Raises PlanError.
    """
    plain = plan_from_options(prompts, options, agents=agents)
    tasks = [{"id": t.id, "prompt": t.prompt, "produces": t.produces} for t in plain.tasks]
    source = Source(plain.source, "", {"task": tasks})
    plan = build_plan(source, Path(), options, agents, settings)
    if plan is None:
        raise PlanError(source.in_order())
    return plan


def read_source(text: str, file: Path, *, what: str = "the plan") -> Source:
    """Return the TOML of a file; raises PlanError when it is none. `what` it is for people."""
    try:
        return Source(str(file), text, tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise PlanError([_syntax(text, file, error)], what=what) from error
    except RecursionError as error:
        raise PlanError([Problem(str(file), "is nested too deeply")], what=what) from error


def _syntax(text: str, file: Path, error: tomllib.TOMLDecodeError) -> Problem:
    message = str(error)
    found = re.search(r" \(at (?:line (\d+), column (\d+)|end of document)\)$", message)
    if found is None:
        return Problem(str(file), f"is not valid TOML: {message}")
    line = int(found[1]) if found[1] else max(1, len(text.splitlines()))
    column = f", column {found[2]}" if found[2] else ", at the end"
    return Problem(f"{file}:{line}", f"is not valid TOML{column}: {message[: found.start()]}")
