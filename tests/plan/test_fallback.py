"""`fallback` names agents that may do a task in its own one's place; each must be one."""

from pathlib import Path

import pytest

from abreast.agents import AGENTS
from abreast.errors import PlanError
from abreast.plan.parse import parse_plan

TASKS = '[[task]]\nid = "a"\nprompt = "x"\n[[task]]\nid = "b"\nprompt = "x"\nfallback = []\n'


def test_a_task_has_the_plans_unless_it_says_its_own() -> None:
    text = f'agent = "claude"\nmodel = "opus"\nfallback = ["codex"]\n{TASKS}'
    first, second = parse_plan(text, Path("p.toml"), agents=tuple(AGENTS)).plan.tasks
    assert (first.fallback, second.fallback) == (("codex",), ())
    assert (first.by("codex").agent.name, first.by("codex").model) == ("codex", "")
    assert first.by("claude") == first
    assert second.by("codex") == second


@pytest.mark.parametrize(
    ("name", "said"), [("codx", "there is no agent `codx`"), ("command", "must be told what to do")]
)
def test_a_name_that_no_task_can_be_given_to_is_refused(name: str, said: str) -> None:
    with pytest.raises(PlanError) as refused:
        parse_plan(f'fallback = ["{name}"]\n{TASKS}', Path("p.toml"), agents=tuple(AGENTS))
    (problem,) = refused.value.problems
    assert said in problem.message
    assert "fallback" in problem.where
