"""`abreast clean`: worktrees that are no longer needed."""

from collections.abc import Sequence

import click

from abreast.cli import as_json, door, figures, options
from abreast.model.removal import Removal


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
@options.as_json
def clean(*, names: tuple[str, ...], remove: bool, force: bool, json: bool) -> int:
    """Remove the worktrees of landed work

    By default it only lists what it would remove. Work that is not in its target stays unless you
    give --force, and even then a ref under refs/abreast/ keeps it. Landed means: the target
    contains the commit, or merging it (with no merge driver) would change nothing, or its
    pull request was merged at this commit. A pick that was edited or overwritten later is not
    recognised: --force removes it.
    """
    from abreast.api import running

    removals = running.clean(names, remove=remove, force=force)
    if json:
        as_json.emit({"removed": remove, "removals": removals})
        return 0
    _print(removals, remove=remove)
    return 0


def _print(removals: Sequence[Removal], *, remove: bool) -> None:
    from abreast.cli.table import removals_table

    going = [removal for removal in removals if not removal.kept]
    if removals:
        door.console().print(removals_table(removals, removed=remove))
    total = figures.size(sum(removal.bytes for removal in going))
    worktrees = figures.counted(len(going), "worktree")
    if not going:
        click.echo("nothing to remove", err=True)
        if removals and not remove:
            hint = "`abreast land RUN` brings work in; with --force it may go, and a ref keeps it"
            click.echo(f"hint: {hint}", err=True)
    elif remove:
        click.echo(f"removed {worktrees}, {total}", err=True)
    else:
        click.echo(f"{worktrees}, {total}, can go; abreast clean --remove does it", err=True)
