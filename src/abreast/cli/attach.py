"""`abreast attach`, `open`, `edit` and `path`: a session at the user's own terminal."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from abreast.cli import as_json, door, options
from abreast.errors import CommandError, StateError
from abreast.faces.figures import harmless
from abreast.model.session import Session, SessionState

if TYPE_CHECKING:
    from abreast.api.terminals import Terminal


@click.command()
@options.session_name
@options.as_json
def attach(*, session: str, json: bool) -> int:
    """Open a session in its own CLI, in its worktree

    The conversation is found by its exact id; a session of a command opens your shell. A session
    that is running is not disturbed: stop it first. When you leave, what has changed is verified
    and committed on the session's branch.
    """
    from abreast.api import terminals

    _require_terminal(f"abreast path {session} prints where its worktree is")
    return _sit_down(terminals.attach(session), json=json)


@click.command()
@options.session_name
@options.as_json
def edit(*, session: str, json: bool) -> int:
    """Open a session's worktree in your editor

    The editor is $VISUAL or $EDITOR. One with windows of its own must wait until they are closed,
    such as `code --wait`. When you leave, what has changed is verified and committed on the
    session's branch.
    """
    from abreast.api import terminals

    hint = "export EDITOR=…, such as: export EDITOR=vim"
    return _sit_down(terminals.edit(session), program="the editor", hint=hint, json=json)


@click.command()
@options.session_name
@options.as_json
def path(*, session: str, json: bool) -> int:
    """Print the path of a session's worktree

    For example: cd "$(abreast path SESSION)".
    """
    from abreast.api import terminals

    found = terminals.find_worktree(session)
    if json:
        as_json.emit({"path": str(found)})
    else:
        door.send(bytes(found) + b"\n")
    return 0


@click.command("open")
@click.argument("name", metavar="NAME", help="A name for the work; it becomes its branch")
@options.agent("{}; without it as in the settings")
@click.option("--base", metavar="REV", default="HEAD", show_default=True, help="What to start from")
@options.model
@options.repo
@options.as_json
def open_(*, name: str, agent: str, base: str, model: str, repo: Path | None, json: bool) -> int:
    """Open an interactive session in a fresh worktree

    The same command for every agent. When you leave, what has changed is committed on the
    session's branch, ready for `abreast land`.
    """
    from abreast.api import terminals

    _require_terminal('abreast run -t "…" starts a task')
    terminal = terminals.open_session(
        name, agent, repo=repo, base=base, model=model, warn=options.warn
    )
    return _sit_down(terminal, json=json)


def _require_terminal(instead: str) -> None:
    if not sys.stdin.isatty():
        raise StateError(
            "an interactive session needs a terminal, and standard input is none",
            hint=f"without one: {instead}",
        )


def _sit_down(
    terminal: "Terminal", *, program: str = "", hint: str | None = None, json: bool
) -> int:
    """Give the terminal to the agent, or to another `program`; record what there is when it ends.

    Raises CommandError, with `hint`, for a program that cannot be started.
    """
    from abreast.api.terminals import close_session, occupy

    click.echo(f"{terminal.session.id} in {terminal.cwd}", err=True)
    if terminal.command.note:
        click.echo(f"note: {terminal.command.note}", err=True)
    try:
        code = occupy(terminal)
    except CommandError as error:
        error.hint = hint
        raise
    finally:
        session = close_session(terminal.session.id)
    if code:
        click.echo(f"{program or session.agent} exited with {code}", err=True)
    if json:
        as_json.emit({"session": as_json.session_dict(session)})
    else:
        _tell(session)
    return 0 if session.state is SessionState.DONE else 1  # whatever the CLI's own code says


def _tell(session: Session) -> None:
    commit = f"commit {session.commit[:7]} on {session.branch}" if session.commit else "no commit"
    click.echo(f"{session.id}: {session.state}, {commit}")
    if session.state is not SessionState.DONE:
        click.echo(harmless(session.reason or "no reason is known"), err=True)
        if session.hint:
            click.echo(f"hint: {harmless(session.hint)}", err=True)
    elif session.commit:
        click.echo(f"next: abreast land {session.id}", err=True)
