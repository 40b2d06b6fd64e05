"""Checks a plan file against its schema and for consistency, then builds the plan."""

from collections.abc import Sequence
from pathlib import Path

from abreast.model.limits import Limits
from abreast.model.states import LandMode
from abreast.model.task import AgentChoice, Plan
from abreast.plan.choice import read_choice
from abreast.plan.explain import explain
from abreast.plan.overrides import Overrides
from abreast.plan.source import Source
from abreast.plan.tasks import Defaults, build_task, check_tasks, merge_limits
from abreast.plan.text import check_text


def build_plan(
    source: Source, folder: Path, options: Overrides, agents: Sequence[str]
) -> Plan | None:
    """Return the plan, or None when `source` has got problems."""
    from pydantic import ValidationError

    from abreast.plan.schema import PlanTable

    check_text(source)
    prompts = check_tasks(source, folder)
    default, chosen = _choices(source, agents)
    try:
        table = PlanTable.model_validate(dict(source.raw))
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
    )
    tasks = tuple(
        build_task(task, prompts[at], chosen.get(at), defaults)
        for at, task in enumerate(table.task)
    )
    plan = Plan(
        tasks=tasks,
        base=table.base,
        target=table.target,
        repo=str((folder / Path(table.repo).expanduser()).resolve()) if table.repo else "",
        max_parallel=table.max_parallel,
        land=LandMode(table.land),
        setup_timeout_minutes=table.setup_timeout_minutes,
        verify_timeout_minutes=table.verify_timeout_minutes,
        pass_env=tuple(table.pass_env),
        pool=table.pool,
        source=source.file,
    )
    return options.over(plan)


def _choices(source: Source, agents: Sequence[str]) -> tuple[AgentChoice, dict[int, AgentChoice]]:
    """Return the agent of the plan, and those of the tasks that choose their own."""
    raw = source.raw.get("agent", agents[0])
    default = read_choice(source, ("agent",), raw, agents)
    own = {
        at: read_choice(source, ("task", at, "agent"), task["agent"], agents)
        for at, task in source.tasks
        if "agent" in task
    }
    return default, own
