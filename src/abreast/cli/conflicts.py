"""`abreast conflicts`: what would conflict if it landed now."""

from collections.abc import Iterator
from dataclasses import asdict

import click

from abreast.cli import as_json, options
from abreast.model.conflicts import ConflictMatrix, told_files
from abreast.model.text import counted, harmless


@click.command()
@options.run_name
@click.option("--all-worktrees", is_flag=True, help="Compare worktrees that others have made, too")
@options.as_json
def conflicts(*, run: str, all_worktrees: bool, json: bool) -> int:
    """Say which sessions would conflict if they landed now

    With each other, and with the target as it is now: which files, and which lines of each side.
    Sessions at work count with what is in their worktree at this moment. With --all-worktrees and
    no RUN, the worktrees that others have made of the repository in the current folder are
    compared, without those of sessions, against what its main checkout is on. Nothing is changed
    in any of them. The exit code is 1 if there is a conflict.
    """
    from abreast.api.comparing import conflicts as compare

    matrix = compare(run, all_worktrees=all_worktrees)
    if json:
        as_json.emit(asdict(matrix))
    else:
        click.echo(harmless("\n".join(_told(matrix))))
        for name, reason in matrix.left_out:
            click.echo(harmless(f"{name} is not compared: {reason}"), err=True)
    return 1 if matrix.conflicts else 0


def _told(matrix: ConflictMatrix) -> Iterator[str]:
    sides = f"{counted(len(matrix.sides), 'side')} and {matrix.target} ({matrix.commit[:12]})"
    if not matrix.conflicts:
        yield f"no conflict between {sides}"
        return
    for pair in matrix.conflicts:
        yield f"{pair.one} conflicts with {pair.other}"
        yield from (f"  {line}" for line in told_files(pair.files))
    yield f"{counted(len(matrix.conflicts), 'conflict')} between {sides}"
