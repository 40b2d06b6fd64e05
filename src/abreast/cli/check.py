"""`abreast check`: which tasks of a plan are independent."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from abreast.cli import as_json, door, options, prompts
from abreast.faces.figures import counted, harmless, one_line

if TYPE_CHECKING:
    from abreast.engine.client.amending import Amendment


@click.command(cls=prompts.TaskCommand)
@click.argument(
    "plan",
    metavar="[PLAN]",
    required=False,
    type=click.Path(path_type=Path),
    help="A plan: a TOML file of tasks",
)
@prompts.option
@click.option(
    "--write", is_flag=True, help="Show the lines that it advises as a diff, and add them to PLAN"
)
@click.option("--yes", is_flag=True, help="With --write: do not ask")
@click.option(
    "--base", metavar="REV", default="", help="What the sessions start from; without it HEAD"
)
@click.option(
    "--review",
    metavar="[RUN]",
    is_flag=False,
    flag_value="",
    default=None,
    help="Was the gate right? Said and happened for each pair of RUN, by default of the newest "
    "judged run here, and figures over all of them",
)
@click.option(
    "--with",
    "second",
    metavar="AGENT",
    default="",
    shell_complete=options.complete_agent,
    help="Ask this agent for a second opinion, by a delegation: that costs tokens",
)
@options.repo
@options.as_json
def check(
    *,
    plan: Path | None,
    tasks: tuple[str, ...],
    write: bool,
    yes: bool,
    base: str,
    review: str | None,
    second: str,
    repo: Path | None,
    json: bool,
) -> int:
    """Say which tasks of a plan are independent, and why

    Prints the shape of the work, its waves, every pair that is not independent with the evidence,
    and what to do. The probability is that of a conflict in text, by this repository's own
    history. Nothing is started, and nothing in the repository changes.

    \b
    Examples:
      abreast check plan.toml
      abreast check plan.toml --write
      abreast check -t "retry requests" -t "document the retries"
      abreast check --review
    """  # noqa: D301 (\\b tells the help not to wrap what follows)
    from abreast.api import checking
    from abreast.cli import judgement_page

    if review is not None:
        return _review(review, repo, json=json)
    _require_work(plan, tasks, write=write)
    tasks = prompts.texts_of(tasks)
    with judgement_page.progress_bar() as tick:
        found = checking.check(plan, tasks, base=base, second=second, repo=repo, progress=tick)
    if json:
        as_json.emit(found)
    else:
        judgement_page.print_judgement(door.console(), found, how=_how(plan, write=write))
        for note in found.notes:
            click.echo(f"note: {one_line(note)}", err=True)
    if not write or plan is None:
        return 0

    def confirm(asked: "Amendment") -> bool:
        if not json:
            click.echo(harmless(f"\n{asked.diff}"), nl=False)
        return yes or (sys.stdin.isatty() and click.confirm(f"Write {plan}?", err=True))

    written = checking.write_advice(plan, found, confirm=confirm)
    if written:
        click.echo(f"{plan}: {counted(written.added, 'task')} changed", err=True)
    elif any(one.key for one in found.advice):
        hint = "" if yes else "; `--yes` does it without asking"
        click.echo(f"nothing was written{hint}", err=True)
        return 1
    else:
        click.echo("there is nothing to write", err=True)
    return 0


def _how(plan: Path | None, *, write: bool) -> str:
    """Say what becomes of the lines for a plan file, where nobody has asked to write them."""
    if plan is None:
        return "the lines are for a plan file; `abreast run` puts coupled tasks in sequence itself"
    return "" if write else "--write adds the `after` lines to the plan"


def _require_work(plan: Path | None, tasks: tuple[str, ...], *, write: bool) -> None:
    if (plan is None) == (not tasks):
        raise click.UsageError("give either a plan or at least one -t TEXT")
    if write and plan is None:
        raise click.UsageError("--write needs a plan file")


def _review(run: str, repo: Path | None, *, json: bool) -> int:
    from abreast.api import checking
    from abreast.cli import review_table

    found = checking.review(run, repo=repo)
    if json:
        as_json.emit(review_table.review_dict(found))
    else:
        door.console().print(review_table.whole(found))
    return 0
