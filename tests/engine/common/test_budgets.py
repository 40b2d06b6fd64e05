"""A limit of cost is refused where it could not be held."""

from operator import attrgetter

import pytest

from abreast.agents import AGENTS
from abreast.agents.base import Agent
from abreast.engine.common.budgets import cost_problems, uncounted
from abreast.model.budget import Budget
from abreast.model.task import AgentChoice, Plan, Task

MODELLED = [agent for agent in AGENTS.values() if agent.capabilities.model]
SILENT = [agent for agent in MODELLED if not agent.capabilities.cost]


def plan(agent: Agent, model: str = "", budget: Budget | None = None) -> Plan:
    task = Task("a", "Do a.", "A.", AgentChoice(agent.name), model=model)
    return Plan((task,), budget=budget or Budget())


@pytest.mark.parametrize("agent", MODELLED, ids=attrgetter("name"))
def test_where_no_cost_is_stated_the_price_list_has_to_be_chosen(agent: Agent) -> None:
    problems = list(cost_problems(plan(agent), Budget(usd=5), "limits.run"))
    assert len(problems) == (agent in SILENT)
    for problem in problems:
        assert problem.where == "limits.run.usd"
        assert "limits.run.price_list = true" in (problem.hint or "")
    assert list(cost_problems(plan(agent), Budget(usd=5, price_list=True), "x")) == []
    assert list(cost_problems(plan(agent), Budget(tokens=5), "x")) == []


@pytest.mark.parametrize("agent", SILENT, ids=attrgetter("name"))
def test_a_model_without_a_price_is_refused(agent: Agent) -> None:
    assert agent.prices is not None
    known = next(iter(agent.prices.models))
    budget = Budget(usd=5, price_list=True)
    assert list(cost_problems(plan(agent, known), budget, "x")) == []
    [problem] = cost_problems(plan(agent, "model-x"), budget, "x")
    assert agent.prices.date in problem.message


def test_a_note_tells_of_what_counts_into_no_limit_of_tokens() -> None:
    budget = Budget(tokens=5)
    assert [*uncounted(plan(AGENTS["command"], budget=budget))] != []
    assert [*uncounted(plan(AGENTS["scripted"], budget=budget))] == []
    assert [*uncounted(plan(AGENTS["command"]))] == []
