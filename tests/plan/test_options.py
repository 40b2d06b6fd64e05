"""Options alone make a plan as good as a file does."""

import pytest
from inline_snapshot import snapshot

from abreast.errors import PlanError
from abreast.model.limits import Limits
from abreast.model.session import LandMode
from abreast.model.task import AgentChoice, Plan, Task
from abreast.plan.options import Overrides, plan_from_options

AGENTS = ("claude", "codex", "command")


def test_each_prompt_becomes_a_task():
    options = Overrides("codex", "m", "pytest -q", "make", "dev", LandMode.PR, 2)
    limits = Limits(minutes=5)
    plan = plan_from_options(
        ["Fix bug A.\nIt crashes.", "fix bug: a"], options, agents=AGENTS, limits=limits, repo="/r"
    )
    common = (AgentChoice("codex"), (), (), (), "m", "make", "pytest -q", True, limits)
    assert plan == Plan(
        (
            Task("fix-bug-a", "Fix bug A.\nIt crashes.", "Fix bug A.", *common),
            Task("fix-bug-a-2", "fix bug: a", "fix bug: a", *common),
        ),
        base="dev",
        repo="/r",
        max_parallel=2,
        land=LandMode.PR,
        source="options",
    )


def test_a_prompt_is_enough():
    plan = plan_from_options(["do a"], agents=AGENTS)
    assert plan == Plan((Task("do-a", "do a", "do a", AgentChoice("claude")),), source="options")


@pytest.mark.parametrize(
    ("prompts", "options", "expected"),
    [
        (
            [],
            Overrides(),
            snapshot("""\

-t: there is no task
  hint: abreast run -t "what to do"
"""),
        ),
        (
            ["a", " \n", "b\0"],
            Overrides(),
            snapshot("""\

-t #2: the prompt is empty
-t #3: the prompt contains a NUL character
"""),
        ),
        (
            ["a"],
            Overrides(agent="cluade", max_parallel=-2),
            snapshot("""\

--agent: there is no agent `cluade`
  hint: did you mean `claude`?
--max-parallel: must not be negative, but is -2
"""),
        ),
        (
            [""],
            Overrides(agent="command"),
            snapshot("""\

--agent: the agent `command` must be told what to do
  hint: write agent = { command = "…" } in a plan
-t #1: the prompt is empty
"""),
        ),
    ],
)
def test_everything_wrong_is_said_at_once(prompts, options, expected):
    with pytest.raises(PlanError) as found:
        plan_from_options(prompts, options, agents=AGENTS)
    assert "\n".join(["", *map(str, found.value.problems), ""]) == expected
