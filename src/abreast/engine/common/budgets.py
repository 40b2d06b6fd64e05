"""Whether a plan's sessions can be held to what a run, and a day, may cost."""

import os
from collections.abc import Iterator

from abreast.agents import AGENTS
from abreast.agents.base import Agent
from abreast.economics.rows import Prices
from abreast.engine.common.settings_files import user_day
from abreast.errors import Problem
from abreast.model.budget import Budget
from abreast.model.task import Plan

RUN, DAY = "limits.run", "limits.day"


def budget_problems(plan: Plan) -> Iterator[Problem]:
    """Yield what keeps a plan from being held to its own budget, and to the user's of a day.

    Raises PlanError for settings that cannot be read.
    """
    yield from cost_problems(plan, plan.budget, RUN)
    yield from cost_problems(plan, user_day(os.environ), DAY)


def cost_problems(plan: Plan, budget: Budget, whose: str) -> Iterator[Problem]:
    """Yield a problem for each agent of a plan whose cost cannot be held against `budget.usd`.

    A command of the plan's asks no model as far as we know: `uncounted` tells of it.
    """
    if not budget.usd:
        return
    for agent, models in _models(plan).items():
        if agent.capabilities.cost or not agent.capabilities.model:
            continue
        where = f"{whose}.usd"
        if not budget.price_list:
            yield Problem(
                where,
                f"{agent.title} states no cost, so the limit of ${budget.usd:g} cannot be held",
                f"{whose}.price_list = true counts by the price list of {_date(agent)}; "
                f"or limit {whose}.tokens",
            )
            continue
        prices = Prices([agent.prices])
        for model in models:
            if model and prices.of(model) is None:
                yield Problem(
                    where,
                    f"{model} is not in the price list of {agent.title}, of {_date(agent)}",
                    f"choose another model, or limit {whose}.tokens",
                )


def uncounted(plan: Plan) -> Iterator[str]:
    """Yield a note for each agent of a plan that counts into no budget of cost or tokens."""
    bounded = any(one.usd or one.tokens for one in (plan.budget, user_day(os.environ)))
    for agent in _models(plan) if bounded else ():
        if not agent.capabilities.usage:
            yield f"{agent.title} states no tokens: limits of a run or a day do not count it"


def _models(plan: Plan) -> dict[Agent, list[str]]:
    """Return the agents of a plan, each with the models that its tasks name; "" for its own."""
    found: dict[Agent, list[str]] = {}
    for task in plan.tasks:
        agent = AGENTS.get(task.agent.name)
        if agent is not None:
            found.setdefault(agent, []).append(task.model)
    return {agent: [*dict.fromkeys(models)] for agent, models in found.items()}


def _date(agent: Agent) -> str:
    return agent.prices.date if agent.prices is not None else ""
