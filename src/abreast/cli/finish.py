"""`abreast land` and `abreast clean`: finished work goes into its target, its worktrees go away."""

from collections.abc import Sequence

import click

from abreast.api import looking
from abreast.cli import as_json, door, options
from abreast.faces import figures
from abreast.model.changes import HistoryRemoval, Removal
from abreast.model.landing import LandingForecast, LandOptions
from abreast.model.session import LandMode, LandOrder, LandState, LandTests, Run, Session
from abreast.places import find_places

_SHOWN = 40  # worktrees that `clean` lists unless all are asked for


@click.command()
@options.any_name
@click.option("--pr", is_flag=True, help="Push, and open pull requests, instead of merging")
@click.option(
    "--target",
    metavar="BRANCH",
    default="",
    help="Where to land; without it the branch that the run started on",
)
@click.option(
    "--order",
    type=options.OneOf(LandOrder),
    help="fit (the default): fewest conflicts with the others waiting, then the smallest, then the "
    "oldest run's; as-given: as in the plan",
)
@click.option(
    "--batch",
    metavar="N",
    type=click.IntRange(min=1),
    help="Test up to N together, as one verify; without it as the plan says",
)
@click.option("--each", is_flag=True, help="Test every commit of a batch, not only the last one")
@click.option("--undo", is_flag=True, help="Revert what a session has landed, as tested")
@click.option("--review", is_flag=True, help="Look at one after the other, and decide")
@click.option(
    "--dry-run",
    is_flag=True,
    help="Only show what will happen if every verify passes: order, commits, conflicts",
)
@options.as_json
def land(
    *,
    name: str,
    pr: bool,
    target: str,
    order: LandOrder | None,
    batch: int | None,
    each: bool,
    undo: bool,
    review: bool,
    dry_run: bool,
    json: bool,
) -> int:
    """Bring finished work into the target branch

    Work is merged onto the target, one session after another, and verified as merged, before the
    target moves. A conflict or a failed verify bounces that session and leaves the target
    unchanged; what does not need it goes on. A verify that fails is tried once more. Those that
    wait on a target share one queue, whichever run they belong to. With --review you see each
    page first (`abreast show`) and land it, send it back with a remark, or skip it. --undo starts
    a run that reverts what a session has landed and lands that, verified like the rest. The exit
    code is 0 only if everything has landed.
    """
    from abreast.api import running
    from abreast.api.following import Progress
    from abreast.cli import live

    found = looking.run_or_session(name, find_places())
    session = found if isinstance(found, Session) else None
    run = found if isinstance(found, Run) else looking.find_run(found.run)
    if undo:
        if pr or target or review or dry_run or session is None:
            raise click.UsageError("--undo takes a session, and no other option but --json")
        return live.follow(running.request_undo(found.id), json=json)
    if pr and (order or batch or each or dry_run):
        raise click.UsageError("--order, --batch, --each and --dry-run are not for --pr")
    if review and (dry_run or json):
        raise click.UsageError("--review asks a person: leave out --dry-run and --json")
    chosen = LandOptions(order, batch, LandTests.EACH if each else LandTests.TIP)
    mode = LandMode.PR if pr else LandMode.MERGE
    if review:
        from abreast.cli import review as reviewing

        shown = [session] if session else reviewing.waiting(run)
        return reviewing.review(
            shown, lambda one: running.land(one.id, mode, target=target, options=chosen)
        )
    if dry_run or not (pr or json or session):
        expected = running.forecast_landing(found.id, target=target, options=chosen)
        if dry_run:
            return _print_forecast(expected, json=json)
        _print_order(expected)
    if run.land is LandMode.REVIEW and not json:
        them = "proposes" if pr else f"merges onto {target or run.target}, verified as merged,"
        click.echo(f"this {them} all of it without a look (--review shows each)", err=True)
    landed: list[Run] = []

    def work(progress: Progress) -> Run:
        landed.append(
            running.land(found.id, mode, target=target, options=chosen, progress=progress)
        )
        return landed[0]

    code = live.show_until(run, work, json=json, subject="landing", known=run)
    return code_of_session(landed[0], session.id) if session and landed else code


def _print_order(expected: Sequence[LandingForecast]) -> None:
    if len(expected) > 1:
        for number, one in enumerate(expected, 1):
            click.echo(f"{number}. {one.session}: {one.why}", err=True)


def _print_forecast(expected: Sequence[LandingForecast], *, json: bool) -> int:
    """Print what a landing will come to; return 0 if all of it will land."""
    bounces = [one for one in expected if one.outcome is not LandState.LANDED]
    if json:
        as_json.emit({"forecast": list(expected)})
        return int(bool(bounces))
    numbers = {one.session: number for number, one in enumerate(expected, 1)}
    for number, one in enumerate(expected, 1):
        click.echo(f"{number}. {one.session}: {one.why}")
        others = [numbers[s.session] for s in expected if s.batch == one.batch and s is not one]
        if one.batch and others:
            click.echo(f"   tested together with {', '.join(map(str, others))}")
        for subject in one.commits:
            click.echo(f"   commit: {figures.one_line(subject)}")
        if one.reason:
            word = "already there" if one.outcome is LandState.LANDED else "bounces"
            click.echo(f"   {word}: {figures.one_line(one.reason)}")
    click.echo("nothing was changed; hooks and each verify are still to pass", err=True)
    return int(bool(bounces))


def code_of_session(run: Run, name: str) -> int:
    """Return 0 when the session `name` has landed or is proposed, else 1."""
    arrived = {LandState.LANDED, LandState.PROPOSED}
    return 0 if any(s.id == name and s.landing in arrived for s in run.sessions) else 1


@click.command()
@click.argument(
    "names",
    metavar="[RUN|SESSION]...",
    nargs=-1,
    shell_complete=options.complete_any,
    help="What to look at; without it everything",
)
@click.option("--remove", is_flag=True, help="Remove them; without it they are only listed")
@click.option(
    "--force", is_flag=True, help="Also those with work that has not landed; a ref keeps it"
)
@click.option(
    "--history",
    metavar="SPAN",
    type=options.Span(),
    help="Instead forget runs of which nothing has happened for so long: 90d, 12w",
)
@click.option("--details", is_flag=True, help=f"List all of them, not only the first {_SHOWN}")
@options.as_json
def clean(
    *,
    names: tuple[str, ...],
    remove: bool,
    force: bool,
    history: float | None,
    details: bool,
    json: bool,
) -> int:
    """Remove the worktrees of landed work

    By default it only lists what it would remove. Work that is not in its target stays unless you
    give --force, and even then a ref keeps it: abreast rescue. Landed means: the target
    contains the commit or the one that landed it, or merging it (with no merge driver) would
    change nothing, or its pull request was merged at this commit. A pick that was edited or
    overwritten later is not recognised: --force removes it.

    With --history it is about records instead: runs long over are forgotten, with the folders of
    their sessions, and caches that old. Runs that go on stay, and those whose work is in a worktree
    or waits on a branch. Refs stay: abreast rescue lists what they keep.
    """
    from abreast.api import running

    if history is not None:
        if names or force:
            raise click.UsageError("--history is for all runs: leave out names and --force")
        forgotten = running.clean_history(history / 86_400, remove=remove)
        if json:
            as_json.emit({"removed": remove, "history": forgotten})
            return 0
        _print_history(forgotten, remove=remove, details=details)
        return 0
    removals = running.clean(names, remove=remove, force=force)
    if json:
        as_json.emit({"removed": remove, "removals": removals})
        return 0
    _print(removals, remove=remove, details=details)
    return 0


def _print_history(forgotten: Sequence[HistoryRemoval], *, remove: bool, details: bool) -> None:
    """Print what goes, what stays and why, as `clean` does for worktrees."""
    going = [one for one in forgotten if not one.kept]
    word = "removed" if remove else "can go"
    size = figures.size(sum(one.bytes for one in going))
    if forgotten:
        parts = [
            figures.counted(sum(1 for one in forgotten if bool(one.sessions) is runs), what)
            for runs, what in ((True, "old run"), (False, "old file"))
            if any(bool(one.sessions) is runs for one in forgotten)
        ]
        click.echo(f"{' and '.join(parts)}: {len(going)} {word}, {size}")
    room = len(forgotten) if details else _SHOWN
    for one in forgotten[:room]:
        why = f"stays: {figures.one_line(one.kept)}" if one.kept else word
        name = figures.one_line(one.name)
        click.echo(f"  {name}  {figures.moment(one.last)}  {figures.size(one.bytes)}  {why}")
    if len(forgotten) > room:
        click.echo(f"  and {len(forgotten) - room:,} more; --details lists all")
    if not going:
        click.echo("nothing to forget", err=True)
    elif not remove:
        click.echo("next: the same with --remove", err=True)


def _print(removals: Sequence[Removal], *, remove: bool, details: bool) -> None:
    from abreast.cli.table import removals_summary, removals_table

    going = [removal for removal in removals if not removal.kept]
    if removals:
        console = door.console()
        console.print(removals_summary(removals, removed=remove))
        room = len(removals) if details else _SHOWN
        console.print(removals_table(removals[:room], removed=remove))
        if rest := len(removals) - room if room < len(removals) else 0:
            console.print(f"and {rest:,} more; --details lists all", style="dim")
    if not going:
        click.echo("nothing to remove", err=True)
        left = next((one.session for one in removals if one.kept == "not landed"), "")
        if left and not remove:
            hint = f"`abreast land {left}` brings it in; with --force it may go, and a ref keeps it"
            click.echo(f"hint: {hint}", err=True)
    elif not remove:
        click.echo("next: abreast clean --remove removes what can go", err=True)
