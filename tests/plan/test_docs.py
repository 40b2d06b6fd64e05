"""The documentation of plans is complete, and its examples are plans."""

import re
from pathlib import Path

import pytest

from abreast.agents import AGENTS
from abreast.plan.parse import parse_plan
from abreast.plan.schema import LimitsTable, PlanTable, RunBudgetTable, Shared, TaskTable

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "plans.md").read_text(encoding="utf-8")


def _documented(heading: str) -> set[str]:
    section = PAGE.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE))


@pytest.mark.parametrize(
    ("heading", "fields"),
    [
        ("The plan", set(PlanTable.model_fields)),
        ("A task", set(TaskTable.model_fields) - set(Shared.model_fields)),
        ("Limits", set(LimitsTable.model_fields)),
        ("Limits of a run", set(RunBudgetTable.model_fields)),
    ],
)
def test_every_key_is_documented_and_no_other(heading: str, fields: set[str]) -> None:
    assert _documented(heading) == fields


@pytest.mark.parametrize("page", ["README.md", "docs/plans.md"])
def test_the_examples_are_plans(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    examples = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    assert examples
    for example in examples:
        parsed = parse_plan(example, Path(page), agents=tuple(AGENTS))
        assert len(parsed.plan.tasks) >= 2
