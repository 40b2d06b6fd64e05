"""Issues as tasks, on the command line: shown whole, and started once a person has said yes."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from abreast.api import issues as tracked
from abreast.cli import as_json
from abreast.errors import StateError
from abreast.faces.figures import counted, harmless
from abreast.model.issue import Issue, IssuePlan, IssueTask

if TYPE_CHECKING:
    from abreast.model.task import Plan
    from abreast.plan.options import Overrides

Read = Callable[[], "tuple[Plan, list[str]]"]


def find(
    numbers: Sequence[int], selected: str, *, from_anyone: bool, repo: Path | None
) -> tuple[Issue, ...]:
    """Return the issues that are asked for; say which are left out. `selected` is `label:NAME`."""
    kind, _, label = selected.partition(":")
    if selected and (kind != "label" or not label.strip()):
        raise click.UsageError(f"--issues {selected}: write label:NAME, such as label:agent")
    found, notes = tracked.find_issues(
        numbers, label=label.strip(), from_anyone=from_anyone, repo=repo
    )
    for note in notes:
        click.echo(harmless(f"note: {note}"), err=True)
    return found


def reader(issues: Sequence[Issue], overrides: "Overrides", repo: Path | None) -> Read:
    """Return what makes the plan of these issues."""
    return lambda: tracked.plan_issues(issues, overrides, repo=repo)


def show(issues: tuple[Issue, ...], read: Read, *, json: bool) -> int:
    """Show the issues and the tasks of them; return 0."""
    plan, warnings = read()
    tasks = tuple(IssueTask(t.id, t.produces, t.prompt, t.issue) for t in plan.tasks)
    if json:
        as_json.emit(IssuePlan(issues, tasks))
        return 0
    for warning in warnings:
        click.echo(f"warning: {warning}", err=True)
    for issue, task in zip(issues, tasks, strict=True):
        click.echo(harmless(f"{_told(issue)}\n\ntask {task.id}: {task.produces}\n"))
    click.echo("nothing was started", err=True)
    return 0


def agree(issues: Sequence[Issue], *, yes: bool) -> bool:
    """Show the issues, and return whether a person, or `yes`, agrees that agents work on them.

    Raises StateError without a terminal.
    """
    for issue in issues:
        click.echo(harmless(f"{_told(issue)}\n"), err=True)
    if yes:
        return True
    if not sys.stdin.isatty():
        what = "agents are to work on what strangers wrote, and nobody is here to say yes to it"
        raise StateError(what, hint="--dry-run shows it; --yes says yes")
    agents = counted(len(issues), "session")
    if click.confirm(f"Start {agents} on the text above?", err=True):
        return True
    click.echo("nothing was started", err=True)
    return False


def _told(issue: Issue) -> str:
    """Return all that an agent gets to read of an issue; its body is indented."""
    body = "\n".join(f"    {line}".rstrip() for line in issue.body.splitlines())
    by = f"by {issue.author} ({issue.standing}), {issue.address}"
    return "\n".join([f"#{issue.number} {issue.title}", by, *([body] if body else [])])
