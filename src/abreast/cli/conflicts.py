"""`abreast conflicts`: what would conflict if it landed now."""

from collections.abc import Iterator

import click

from abreast.cli import as_json, options
from abreast.model.conflict_matrix import ConflictMatrix
from abreast.model.conflicts import told_files
from abreast.model.text import counted, harmless


@click.command()
@options.optional_name
@click.option("--all-worktrees", is_flag=True, help="Compare worktrees that others have made, too")
@options.as_json
def conflicts(*, name: str, all_worktrees: bool, json: bool) -> int:
    """Say which sessions would conflict if they landed now

    With each other, and with the target as it is now: which files, and which lines of each side.
    Sessions at work count with what is in their worktree at this moment. Of a session, only its own
    conflicts are told. With --all-worktrees and no name, the worktrees that others have made of the
    repository in the current folder and its sessions of all runs, at work or not landed, are
    compared, against what its main checkout is on. Nothing is changed in any of them. The exit code
    is 1 if there is a conflict.
    """
    from abreast.api.comparing import conflicts as compare

    matrix = compare(name, all_worktrees=all_worktrees)
    if json:
        as_json.emit(matrix)
    else:
        click.echo(harmless("\n".join(_told(matrix))))
        for side, reason in matrix.left_out:
            click.echo(harmless(f"{side} is not compared: {reason}"), err=True)
    return 1 if matrix.conflicts else 0


def _told(matrix: ConflictMatrix) -> Iterator[str]:
    target = f"{matrix.target} ({matrix.commit[:12]})"
    sides = f"between {counted(len(matrix.sides), 'side')} and {target}"
    if matrix.session:
        others = len([one for one in matrix.sides if one != matrix.session])
        sides = f"of {matrix.session} with {counted(others, 'other side')} and {target}"
    if not matrix.conflicts:
        yield f"no conflict {sides}"
        return
    for pair in matrix.conflicts:
        yield f"{pair.one} conflicts with {pair.other}"
        yield from (f"  {line}" for line in told_files(pair.files))
    yield f"{counted(len(matrix.conflicts), 'conflict')} {sides}"
