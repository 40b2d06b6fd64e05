"""`abreast init`: the first settings and the first plan of a repository."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from abreast.cli import as_json, door, options
from abreast.errors import StateError
from abreast.faces.figures import harmless
from abreast.model.text import named

if TYPE_CHECKING:
    from abreast.plan.project import ProjectCommands


@click.command()
@click.option("--setup", metavar="COMMAND", help="Instead of what is proposed")
@click.option("--verify", metavar="COMMAND", help="Instead of what is proposed")
@click.option("--yes", "-y", is_flag=True, help="Try and write without asking")
@click.option("--no-try", is_flag=True, help="Do not try the commands")
@options.repo
@options.as_json
def init(
    *, setup: str | None, verify: str | None, yes: bool, no_try: bool, repo: Path | None, json: bool
) -> int:
    """Write a repository's first settings and a first plan

    Setup and verify are proposed by the files at its top: Makefile, pyproject.toml, package.json
    and their lock files, Cargo.toml, go.mod. If you agree they are tried once in a fresh worktree.
    Then abreast.toml and a first plan.toml are written; what is there already stays. Without a
    terminal nothing is tried or written unless you say --yes.
    """
    from abreast.api import configuring

    found = configuring.propose(repo=repo)
    found = replace(
        found,
        setup=found.setup if setup is None else setup,
        verify=found.verify if verify is None else verify,
        setup_from=found.setup_from if setup is None else "",
        verify_from=found.verify_from if verify is None else "",
    )
    if not json:
        _print(found)
    asks = not yes and not json and sys.stdin.isatty()
    if not yes and not asks:
        if json:
            as_json.emit({"commands": found, "written": []})
        else:
            click.echo("nothing was written; `--yes` writes it", err=True)
        return 0
    works = True
    wanted = bool(found.setup or found.verify) and not no_try
    if wanted and (yes or click.confirm("Try them once in a fresh worktree?", True, err=True)):
        works = _try(found, repo, json=json)
    if asks and not click.confirm("Write abreast.toml and plan.toml?", works, err=True):
        return 1
    if yes and not works:
        raise StateError(
            "setup or verify failed, and nothing was written",
            hint="give others with --setup and --verify",
        )
    written = configuring.init(found, repo=repo)
    if json:
        as_json.emit({"commands": found, "written": written})
        return 0
    if not written:
        click.echo("abreast.toml and plan.toml are there already; nothing was changed", err=True)
        return 0
    click.echo(f"wrote {named([path.name for path in written])}")
    click.echo(
        "next: put your tasks into plan.toml, commit abreast.toml, then: abreast run plan.toml",
        err=True,
    )
    return 0


def _print(found: "ProjectCommands") -> None:
    for name, command, file in (
        ("setup", found.setup, found.setup_from),
        ("verify", found.verify, found.verify_from),
    ):
        source = f"  ({file})" if file else ""
        click.echo(harmless(f"{name:<8}{command or '- nothing was found'}{source}"))
    for command, file in found.others:
        click.echo(harmless(f"{'or':<8}{command}  ({file})"))


def _try(found: "ProjectCommands", repo: Path | None, *, json: bool) -> bool:
    """Run the commands in a fresh worktree, show how it goes, and return whether they passed.

    Ctrl-C stops them.
    """
    from abreast.api import configuring, following, running, starting
    from abreast.cli.live import close, code_of, view

    run = starting.start(configuring.trial(found, repo=repo))
    try:
        with view(door.console(stderr=True)) as progress:
            progress(run)
            ended = following.wait(run.id, progress=progress)
    except BaseException:
        running.stop(run.id)
        raise
    finally:
        running.clean([run.sessions[0].id], remove=True, force=True)
    return (code_of(ended) if json else close(ended, json=False)) == 0
