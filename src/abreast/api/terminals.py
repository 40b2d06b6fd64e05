"""Sessions at a person's own terminal."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from abreast.agents.base import Command
from abreast.api.looking import find_session
from abreast.engine.client import terminal
from abreast.engine.client.planning import chosen_agent
from abreast.errors import StateError
from abreast.model.session import Session, SessionKind
from abreast.places import Places, find_places
from abreast.process.command import run_foreground
from abreast.process.files import materialise


@dataclass(frozen=True)
class Terminal:
    """A command for the user's own terminal. After it ends, call `close_session`."""

    session: Session
    command: Command
    cwd: Path


def attach(name: str, *, places: Places | None = None) -> Terminal:
    """Return the command that opens a session interactively, by its exact id, in its worktree.

    Where the agent has no conversations to go on with, it is the user's shell.
    """
    where = places or find_places()
    return Terminal(*terminal.attach(find_session(name, places=where), where))


def occupy(terminal: Terminal) -> int:
    """Run its command on this process's terminal, and return its exit code. Main thread only.

    Raises CommandError when it cannot be started. `close_session` is the caller's to call.
    """
    command = terminal.command
    materialise(command.files, command.links)
    return run_foreground(command.argv, cwd=terminal.cwd, env=command.env)


def edit(name: str, *, places: Places | None = None) -> Terminal:
    """Return the command that opens the user's editor on a session's worktree.

    Raises StateError while its agent runs, and without `$VISUAL` or `$EDITOR`.
    """
    where = places or find_places()
    return Terminal(*terminal.edit(find_session(name, places=where), where))


def find_worktree(name: str, *, places: Places | None = None) -> Path:
    """Return the worktree of a session; raises StateError when there is none."""
    session = find_session(name, places=places or find_places())
    path = Path(session.worktree)
    if session.worktree and path.is_dir():
        return path
    if session.state.final and session.branch and session.kind is not SessionKind.CHILD:
        hint = f"abreast edit {session.id} makes it again"
    else:
        hint = f"abreast status {session.run}"
    raise StateError(f"{session.id} has no worktree now", hint=hint)


def open_session(
    name: str,
    agent: str = "",
    *,
    repo: Path | None = None,
    base: str = "HEAD",
    model: str = "",
    warn: Callable[[str], object] = lambda _: None,
    places: Places | None = None,
) -> Terminal:
    """Make a fresh worktree and return the command for an interactive session in it.

    Agent and model are by default those of the settings. `warn` is told, before anything is made,
    what the person should know, such as a login that is missing.
    """
    where = places or find_places()
    if not agent:
        agent, model = chosen_agent(base, repo, model)
    place = repo or Path.cwd()
    return Terminal(
        *terminal.open_session(name, agent, where, repo=place, base=base, model=model, warn=warn)
    )


def close_session(name: str, *, places: Places | None = None) -> Session:
    """Record that the person has left an interactive session: commit what there is."""
    where = places or find_places()
    return terminal.close(find_session(name, places=where), where)
