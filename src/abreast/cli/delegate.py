"""`abreast delegate` and `abreast collect`: one bounded question, and what came of it."""

from json import loads
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from abreast.cli import as_json, door, options
from abreast.contract.render import paginate
from abreast.contract.shapes import PRESETS
from abreast.economics.words import expected, spent
from abreast.faces.figures import harmless
from abreast.model.limits import Profile
from abreast.model.task import (
    BUDGET,
    LIMIT_TOKENS,
    BriefingChoice,
    Contract,
    Deliverable,
    Isolation,
    budget_of,
)
from abreast.model.text import either, named


def _complete_shape(
    ctx: click.Context,  # noqa: ARG001 (click's signature)
    param: click.Parameter,  # noqa: ARG001
    begun: str,
) -> list[CompletionItem]:
    names = [CompletionItem(name) for name in PRESETS if name.startswith(begun)]
    return names or [CompletionItem(begun, type="file")]


@click.command()
@click.argument("question", help="What you want to know, self-contained")
@click.option(
    "--returns",
    metavar="SHAPE",
    default="text",
    shell_complete=_complete_shape,
    help=f"What to return: {either([*PRESETS])}, or a JSON Schema, or the file of one",
)
@click.option(
    "--scope", "-s", metavar="PATH", multiple=True, help="Where to look; one -s for each path"
)
@click.option(
    "--limit",
    metavar="TOKENS",
    type=click.IntRange(min=1),
    default=None,
    help=f"How much to return at most; without it {LIMIT_TOKENS}, or what abreast.toml says",
)
@options.agent("Who answers: {}")
@options.model
@click.option("--constraint", metavar="TEXT", multiple=True, help="A rule for the child")
@click.option("--success", metavar="TEXT", default="", help="When the child is done")
@click.option("--worktree", is_flag=True, help="Let it edit in its own worktree")
@click.option(
    "--briefing",
    type=options.OneOf(BriefingChoice),
    help="Whether it reads the project's standing instructions; without it one that edits does",
)
@click.option(
    "--profile",
    type=options.OneOf(Profile),
    help="How much of its CLI it gets; lean costs least",
)
@click.option(
    "--minutes",
    metavar="N",
    type=click.FloatRange(min=0),
    default=float(BUDGET.minutes),
    show_default=True,
    help="Most time; 0 for no bound",
)
@click.option(
    "--turns",
    metavar="N",
    type=click.IntRange(min=0),
    default=BUDGET.turns,
    show_default=True,
    help="Most model requests; 0 for no bound",
)
@click.option(
    "--tokens",
    metavar="N",
    type=click.IntRange(min=0),
    default=0,
    help="Most input and output tokens",
)
@click.option(
    "--usd",
    metavar="N",
    type=click.FloatRange(min=0),
    default=0.0,
    help="Most cost, where the CLI states one",
)
@click.option("--dry-run", is_flag=True, help="Print what it should cost, and start nothing")
@click.option("--detach", "-d", is_flag=True, help="Start it, print its name, and return")
@options.repo
@options.as_json
def delegate(
    *,
    question: str,
    returns: str,
    scope: tuple[str, ...],
    limit: int | None,
    agent: str,
    model: str,
    constraint: tuple[str, ...],
    success: str,
    worktree: bool,
    briefing: BriefingChoice | None,
    profile: Profile | None,
    minutes: float,
    turns: int,
    tokens: int,
    usd: float,
    dry_run: bool,
    detach: bool,
    repo: Path | None,
    json: bool,
) -> int:
    """Ask a child agent one bounded question

    The child reads this tree and changes nothing, unless it gets a worktree. Its answer is held to
    the shape and the limit, and printed; what it cost and saved goes to standard error. Ctrl-C
    stops it.

    \b
    Examples:
      abreast delegate "find every use of pandas" --returns bullets -s src
      abreast delegate "is the cache ever cleared?" --returns yes-no --dry-run
    """  # noqa: D301 (\b tells the help not to wrap what follows)
    from abreast.api import delegations, running

    asked = delegations.contract(
        question,
        repo=repo,
        scope=scope,
        returns=shape(returns),
        constraints=constraint,
        success=success,
        limit_tokens=limit or 0,
        budget=budget_of(minutes, turns, tokens, usd),
        isolation=Isolation.WORKTREE if worktree else Isolation.CONTEXT,
        briefing=briefing,
    )
    if dry_run:
        return _expect(asked, agent, profile, repo, json=json)
    run = delegations.start_delegation(
        asked, agent=agent, model=model, profile=profile, repo=repo, warn=options.warn
    )
    if detach:
        from abreast.cli.live import leave

        return leave(run, f"collect {run.id} waits for it", json=json)
    click.echo(f"{run.sessions[0].agent} is asked; {run.id}", err=True)
    try:
        [found] = _watched(run.id)
    except KeyboardInterrupt:
        running.stop(run.id)
        click.echo(f"stopped; abreast collect {run.id} prints what there is", err=True)
        raise
    return show(found, json=json)


def _watched(name: str) -> list[Deliverable]:
    """Return what children deliver once all have; on a terminal, show them at work till then."""
    from abreast.api import answers, looking
    from abreast.cli.live import view

    console = door.console(stderr=True)
    run = looking.find_run(name.partition("@")[0].partition("/")[0])
    if run.state.final or not console.is_terminal:
        return answers.collect(name, wait=True)
    with view(console) as progress:
        progress(run)
        return answers.collect(name, wait=True, progress=progress)


def shape(given: str) -> str | dict[str, Any]:
    """Return a preset's name as it is, else the JSON Schema that the text or the file holds."""
    if given in PRESETS:
        return given
    text = given
    if not given.lstrip().startswith("{"):
        try:
            text = Path(given).read_text(encoding="utf-8-sig")
        except OSError:
            return given  # the contract says which shapes there are
        except UnicodeDecodeError as error:
            raise click.BadParameter(f"is not a text: {error}", param_hint="--returns") from None
    try:
        found = loads(text)
    except (ValueError, RecursionError) as error:
        raise click.BadParameter(f"is not JSON: {error}", param_hint="--returns") from None
    if not isinstance(found, dict):
        raise click.BadParameter("is not a JSON Schema", param_hint="--returns")
    return found


def _expect(
    asked: Contract, agent: str, profile: Profile | None, repo: Path | None, *, json: bool
) -> int:
    from abreast.api import delegations

    name, estimate = delegations.estimate(asked, agent=agent, profile=profile, repo=repo)
    if json:
        as_json.emit({"agent": name, "estimate": estimate})
    else:
        click.echo(f"{name}: {expected(estimate)}")
    return 0


def show(found: Deliverable, page: int = 1, *, json: bool) -> int:
    """Print a page of a deliverable on stdout and its story on stderr; return the exit code."""
    if json:
        as_json.emit({"deliverable": found})
        return 0 if found.outcome.valid else 1
    pages = paginate(found.items, found.limit_tokens)
    if pages:
        click.echo(harmless(pages[page - 1].text.removesuffix("\n")))
    lines = [f"{found.outcome} ({found.id}, {found.agent}, {found.seconds:.1f} s)"]
    if found.reason:
        lines.append(f"why: {found.reason}")
    if len(pages) > 1:
        shown = pages[page - 1]
        last = page == len(pages)
        more = "" if last else f"; abreast collect {found.id} --page {page + 1} goes on"
        lines.append(f"page {page} of {len(pages)}: {shown.first}-{shown.last} of {shown.of}{more}")
    if found.commit:
        lines.append(f"branch {found.branch} at {found.commit[:12]}: {found.diffstat}")
        lines += [f"next: abreast land {found.id}"] if found.outcome.valid else []
    lines += [f"note: {note}" for note in found.notes]
    if found.changed:
        lines.append(f"changed: {named(found.changed)}")
    if found.account and found.account.child_total:
        lines.append(spent(found.account))
    click.echo(harmless("\n".join(lines)), err=True)
    return 0 if found.outcome.valid else 1


@click.command()
@options.child_name
@click.option(
    "--page", metavar="N", type=click.IntRange(min=1), default=1, help="Which page to print"
)
@options.as_json
def collect(*, name: str, page: int, json: bool) -> int:
    """Print the deliverable of a delegation

    The whole is on disk, page by page here; with --json it comes in one piece, and that of several
    children as one list. After a retry, RUN/TASK@1 is what the first attempt delivered.
    """
    from abreast.api import answers

    found = _watched(name)
    if page > 1:
        answers.more(name, page)  # says what is wrong when there is no such page
    if json and len(found) > 1:
        as_json.emit({"deliverables": found})
        return 0 if all(one.outcome.valid for one in found) else 1
    return max(show(deliverable, page, json=json) for deliverable in found)
