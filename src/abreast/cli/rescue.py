"""`abreast rescue`: list, show and bring back what is kept of sessions."""

from pathlib import Path
from shlex import quote

import click

from abreast.cli import as_json, door, options
from abreast.faces import figures

kept_name = click.argument(
    "name", metavar="NAME", help="As listed: RUN/TASK, with @KIND where several things are kept"
)


@click.group(invoke_without_command=True)
@options.repo
@options.as_json
@click.pass_context
def rescue(ctx: click.Context, *, repo: Path | None, json: bool) -> int:
    """List, show and restore the work that abreast has kept

    Before a worktree is emptied or removed, all that it holds is kept: under a ref of the
    repository, or in a folder where no commit can hold it. That is listed here, newest first, also
    of runs whose record is lost.
    """
    if ctx.invoked_subcommand is not None:  # whose options these are, if they come first
        ctx.default_map = {ctx.invoked_subcommand: {"repo": repo, "json": json}}
        return 0
    return _list("", repo, json=json)


@rescue.command("list")
@options.optional_name
@options.repo
@options.as_json
def list_(*, name: str, repo: Path | None, json: bool) -> int:
    """List what is kept, newest first"""
    return _list(name, repo, json=json)


def _list(name: str, repo: Path | None, *, json: bool) -> int:
    from abreast.api import rescuing

    found = rescuing.kept_works(name, repo=repo)
    if json:
        as_json.emit({"kept": found.works, "notes": found.notes})
        return 0
    from abreast.cli.rescue_page import print_list

    print_list(door.console(), found)
    for note in found.notes:
        click.echo(f"note: {figures.one_line(note)}", err=True)
    return 0


@rescue.command()
@kept_name
@options.repo
@options.as_json
def show(*, name: str, repo: Path | None, json: bool) -> int:
    """Show what is in something kept: its commits and its files"""
    from abreast.api import rescuing

    page = rescuing.kept_page(name, repo=repo)
    if json:
        as_json.emit(page)
        return 0
    from abreast.cli.rescue_page import print_page

    work = page.work
    print_page(door.console(), page)
    to = " --to FOLDER" if work.folder else ""
    click.echo(f"hint: abreast rescue restore {quote(work.name)}{to}", err=True)
    return 0


@rescue.command()
@kept_name
@click.option("--branch", metavar="NAME", default="", help="The new branch; else rescued/RUN/TASK")
@click.option(
    "--to",
    "folder",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Write the files into this new or empty folder instead",
)
@options.repo
@options.as_json
def restore(*, name: str, branch: str, folder: Path | None, repo: Path | None, json: bool) -> int:
    """Put something kept on a new branch, or its files into a folder

    Your checkout is left alone, and what is kept stays.
    """
    if branch and folder:
        raise click.UsageError("--branch and --to exclude each other")
    from abreast.api import rescuing

    done = rescuing.restore_kept(name, branch=branch, folder=folder, repo=repo)
    if json:
        as_json.emit(done)
        return 0
    work = done.work
    if done.branch:
        click.echo(f"branch {done.branch} is at {work.commit[:12]}, in {work.repository}")
        if not work.submodule:
            click.echo(f"hint: git switch {quote(done.branch)}", err=True)
    else:
        click.echo(f"{done.folder} holds {work.name}")
    return 0
