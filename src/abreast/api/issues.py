"""Issues of a tracker as tasks."""

from collections.abc import Sequence
from pathlib import Path

from abreast.engine.client import issues as tracked
from abreast.model.issue import Issue
from abreast.model.task import Plan
from abreast.plan.options import NO_OVERRIDES, Overrides


def find_issues(
    numbers: Sequence[int] = (),
    *,
    label: str = "",
    from_anyone: bool = False,
    repo: Path | None = None,
) -> tuple[tuple[Issue, ...], tuple[str, ...]]:
    """Return issues by number, or the open ones with a label; and notes on those left out.

    They are asked for through `gh` or `glab`. Their text is a stranger's: show it before you start
    a plan of it. Raises PlanError for an issue by number that is closed, or whose author does not
    belong to the repository unless `from_anyone`, and where there is none; CommandError for what
    the program cannot do.
    """
    return tracked.find_issues(numbers, label, from_anyone=from_anyone, repo=repo)


def plan_issues(
    issues: Sequence[Issue], overrides: Overrides = NO_OVERRIDES, *, repo: Path | None = None
) -> tuple[Plan, list[str]]:
    """Return a plan with one task for each issue, and warnings; raises as `read_plan` does.

    The issue's text is fenced in the prompt; its number is in what the task produces, and a pull
    request closes it.
    """
    return tracked.plan_issues(issues, overrides, repo=repo)
