"""`abreast run` and `abreast demo`: start a plan and show it until it ends."""

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from abreast.cli import as_json, door, options, prompts
from abreast.faces import figures
from abreast.model.gate import GateMode
from abreast.model.session import LandMode

if TYPE_CHECKING:
    from collections.abc import Callable

    from abreast.model.session import Run
    from abreast.model.task import Plan


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
@click.option(
    "--limit",
    metavar="NAME=VALUE",
    multiple=True,
    help="A limit of the run, for all its sessions together: minutes, turns, tokens or usd; may be"
    " given several times",
)
@click.option(
    "--issue",
    "numbers",
    metavar="N",
    multiple=True,
    type=click.IntRange(min=1),
    help="A task that resolves this issue of GitHub or GitLab; may be given several times",
)
@click.option(
    "--issues",
    "selected",
    metavar="label:NAME",
    default="",
    help="A task for each open issue with this label",
)
@click.option(
    "--from-anyone",
    is_flag=True,
    help="Also issues whose author is no owner, member or collaborator of the repository",
)
@click.option("--yes", "-y", is_flag=True, help="With issues: start without asking")
@click.option("--dry-run", is_flag=True, help="With issues: show the tasks, and start nothing")
@click.option("--detach", "-d", is_flag=True, help="Start the run, print its name, and return")
@options.repo
@options.as_json
def run(
    *,
    plan: Path | None,
    tasks: tuple[str, ...],
    numbers: tuple[int, ...],
    selected: str,
    from_anyone: bool,
    yes: bool,
    dry_run: bool,
    detach: bool,
    repo: Path | None,
    json: bool,
    **chosen: Any,
) -> int:
    """Run a plan, or the tasks given by -t, side by side

    Every task gets an agent, a worktree outside the repository and a branch of its own; your
    checkout does not change. A task is done when its worktree is clean, its commit exists and its
    verify command has passed on that commit. Options override the plan's defaults.

    Issues are asked for through `gh` or `glab`. Their text is a stranger's: it is shown before
    anything starts, and fenced in the prompt as data.

    Ctrl-C closes the view; the run continues. The exit code is 0 only if every task is done.

    \b
    Examples:
      abreast run plan.toml
      abreast run --issue 12 --land pr
      abreast run -t "fix the flaky test" -t "document --csv" --verify "pytest -q"
    """  # noqa: D301 (\\b tells the help not to wrap what follows)
    from abreast.api import starting
    from abreast.cli.live import follow, leave
    from abreast.plan.options import Overrides

    tracked = bool(numbers or selected)
    if (plan is not None) + bool(tasks) + tracked != 1:
        raise click.UsageError("give either a plan, at least one -t TEXT, or issues")
    if (from_anyone or yes or dry_run) and not tracked:
        raise click.UsageError("--from-anyone, --yes and --dry-run go with --issue or --issues")
    texts = prompts.texts_of(tasks)
    overrides = Overrides(**chosen)
    with prompts.kept(tasks, texts):
        if tracked:
            from abreast.cli import issues

            found = issues.find(numbers, selected, from_anyone=from_anyone, repo=repo)
            read = issues.reader(found, overrides, repo)
            if dry_run:
                return issues.show(found, read, json=json)
            if not issues.agree(found, yes=yes):
                return 1
        else:
            read = partial(starting.read_plan, plan, texts, overrides, repo=repo)
        checked, warnings = _read(read)
        for warning in warnings:
            options.warn(warning)
        started = _start(checked)
    for line in started.note.splitlines():
        if line not in warnings:
            click.echo(f"note: {figures.one_line(line)}", err=True)
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


def _read(read: "Callable[[], tuple[Plan, list[str]]]") -> "tuple[Plan, list[str]]":
    """Read a plan; ask a person about what the project's settings want, if that waits for a yes."""
    from abreast.api import configuring
    from abreast.errors import UntrustedError

    try:
        return read()
    except UntrustedError as error:
        from abreast.cli.settings import ask

        if not sys.stdin.isatty() or not ask(error.asked):
            raise
        configuring.trust_settings(repo=Path(error.repository), base=error.base)
        return read()


def _start(plan: "Plan") -> "Run":
    """Start a run; while the gate judges a plan of several tasks, show how far it is."""
    from abreast.api import starting

    if len(plan.tasks) < 2:
        return starting.start(plan)
    from abreast.cli.judgement_page import progress_bar

    with progress_bar() as tick:
        return starting.start(plan, judging=tick)
