"""`abreast run` and `abreast demo`: start a plan and show it until it ends."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from abreast.cli import as_json, door, figures, options, prompts
from abreast.model.gate import GateMode
from abreast.model.session import LandMode

if TYPE_CHECKING:
    from abreast.model.session import Run
    from abreast.model.task import Plan
    from abreast.plan.options import Overrides


@click.command(cls=prompts.TaskCommand)
@click.argument(
    "plan",
    metavar="[PLAN]",
    required=False,
    type=click.Path(path_type=Path),
    help="A plan: a TOML file of tasks",
)
@prompts.option
@options.agent("The agent of tasks that name none: {}")
@options.model
@click.option(
    "--verify",
    metavar="COMMAND",
    default="",
    help="A command that must pass for a task to be done",
)
@click.option(
    "--setup", metavar="COMMAND", default="", help="A command that prepares each worktree"
)
@click.option(
    "--base", metavar="REV", default="", help="What the sessions start from; without it HEAD"
)
@click.option(
    "--land",
    type=options.OneOf(LandMode),
    help="What to do with finished work: leave it on its branch (the default), merge it into "
    "the target as soon as it is verified there, propose it as a pull request, or wait for you to "
    "look at it (`abreast land --review`)",
)
@click.option(
    "--gate",
    type=options.OneOf(GateMode),
    help="What to do about tasks that are not independent: put coupled ones in sequence (the "
    "default), refuse to start them side by side, or do not look",
)
@click.option(
    "--max-parallel",
    "-j",
    metavar="N",
    type=int,
    default=0,
    help="How many sessions may run at once; without it two for each core, but no more than one for"
    " each GiB of free memory",
)
@click.option("--detach", "-d", is_flag=True, help="Start the run, print its name, and return")
@options.repo
@options.as_json
def run(
    *,
    plan: Path | None,
    tasks: tuple[str, ...],
    detach: bool,
    repo: Path | None,
    json: bool,
    **chosen: Any,
) -> int:
    """Run a plan, or the tasks given by -t, side by side

    Every task gets an agent, a worktree outside the repository and a branch of its own; your
    checkout does not change. A task is done when its worktree is clean, its commit exists and its
    verify command has passed on that commit. Options override the plan's defaults.

    Ctrl-C closes the view; the run continues. The exit code is 0 only if every task is done.

    \b
    Examples:
      abreast run plan.toml
      abreast run -t "fix the flaky test" -t "document --csv" --verify "pytest -q"
    """  # noqa: D301 (\\b tells the help not to wrap what follows)
    from abreast.cli.live import follow, leave
    from abreast.plan.options import Overrides

    if (plan is None) == (not tasks):
        raise click.UsageError("give either a plan or at least one -t TEXT")
    texts = prompts.texts_of(tasks)
    with prompts.kept(tasks, texts):
        checked, warnings = _read(plan, texts, Overrides(**chosen), repo)
        for warning in warnings:
            options.warn(warning)
        started = _start(checked)
    for line in started.note.splitlines():
        if line not in warnings:
            click.echo(f"gate: {figures.one_line(line)}", err=True)
    if detach:
        return leave(started, f"watch {started.id} shows it", json=json)
    return follow(started, json=json)


@click.command()
@options.agent(
    "scripted (built in), or {}: the real CLI against a model server on this machine, without an"
    " account and without tokens",
    "scripted",
)
@click.option("--keep", is_flag=True, help="Keep the repository")
@options.as_json
def demo(*, agent: str, keep: bool, json: bool) -> int:
    """Run three tasks on a throw-away repository, no account

    They run side by side, are verified and land on its main branch.
    """
    from abreast.api import running
    from abreast.cli.live import close, code_of, view

    with view(door.console(stderr=True)) as progress:
        run, folder = running.demo(agent, keep=keep, progress=progress)
    if json:
        as_json.emit({"run": as_json.run_dict(run), "repository": folder, "kept": keep})
        return code_of(run)
    code = close(run, json=False)
    if keep:
        click.echo(f"the repository is {folder}", err=True)
    click.echo('next, in a repository of yours: abreast run -t "…", abreast agents', err=True)
    return code


def _read(
    plan: Path | None, tasks: tuple[str, ...], options: "Overrides", repo: Path | None
) -> "tuple[Plan, list[str]]":
    """Read a plan; ask a person about what the project's settings want, if that waits for a yes."""
    from abreast.api import configuring, running
    from abreast.errors import UntrustedError

    try:
        return running.read_plan(plan, tasks, options, repo=repo)
    except UntrustedError as error:
        from abreast.cli.settings import ask

        if not sys.stdin.isatty() or not ask(error.asked):
            raise
        configuring.trust_settings(repo=Path(error.repository), base=error.base)
        return running.read_plan(plan, tasks, options, repo=repo)


def _start(plan: "Plan") -> "Run":
    """Start a run; while the gate judges a plan of several tasks, show how far it is."""
    from abreast.api import running

    if len(plan.tasks) < 2:
        return running.start(plan)
    from abreast.cli.judgement_page import progress_bar

    with progress_bar() as tick:
        return running.start(plan, judging=tick)
