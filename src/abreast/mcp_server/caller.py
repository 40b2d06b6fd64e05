"""Who calls: which agent and session a client is, how long it waits, which sessions it may reach.

All parents on a machine share the names of sessions. Anyone who knows a name can collect the
answer; a session in a sandbox only that of its own children. Only the parent that started a child
can stop it. Sessions of the same repository can send it messages, which name their sender.
"""

import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from abreast.agents import AGENTS, connectable
from abreast.api.looking import find_run, run_or_session
from abreast.errors import AbreastError, ContractError
from abreast.git.repository import Repository, find_repository
from abreast.model.session import Run
from abreast.places import find_places
from abreast.process.environment import CONFINED, SESSION

WAIT = "ABREAST_MCP_WAIT"  # seconds that a call may take, whatever the client
_UNKNOWN = 45.0  # seconds; most clients give a call 60


@dataclass(frozen=True)
class Caller:
    """A client. `own` is the agent it is, "" if it is not one; `wait` are seconds.

    `parent` names the session for which it asks, and `folder` that of its project, as far as they
    are known.
    """

    own: str
    wait: float
    parent: str
    folder: str = ""


def caller_of(client: str, environ: Mapping[str, str] | None = None) -> Caller:
    """Return who calls, by the name that the client gave itself, such as `codex-mcp-client`."""
    env = os.environ if environ is None else environ
    own = next((name for name in connectable() if name in client.lower()), "")
    connector = AGENTS[own].connection if own else None
    wait, session, folder = _UNKNOWN, "", ""
    if connector is not None:
        wait = connector.WAIT
        session, folder = env.get(connector.SESSION, ""), env.get(connector.FOLDER, "")
    with contextlib.suppress(KeyError, ValueError):
        wait = max(0.0, float(env[WAIT]))
    parent = env.get(SESSION) or (f"{own}:{session}" if session else own)
    return Caller(own, wait, parent, folder)


def check_collect(name: str, caller: Caller, tree: Path) -> None:
    """Raise ContractError for children `name` of others, where the client is in a sandbox."""
    if not os.environ.get(CONFINED) or _own(find_run(name.partition("/")[0]), caller, tree):
        return
    hint = "a session in a sandbox collects what it has asked itself"
    raise ContractError(f"{name} was started by another parent", hint=hint)


def check_stop(name: str, caller: Caller, tree: Path) -> None:
    """Raise ContractError unless the client, at work in `tree`, started the children `name`."""
    run = find_run(name.partition("/")[0])
    if not _own(run, caller, tree):
        hint = f"only whoever starts a child may stop it; a person can, with `abreast stop {name}`"
        raise ContractError(f"{name} was started by another parent", hint=hint)


def check_tell(name: str, caller: Caller, tree: Path) -> None:
    """Raise ContractError unless `name` is of the client's own, or of its repository."""
    found = run_or_session(name, find_places())
    run = found if isinstance(found, Run) else find_run(found.run)
    here, there = _repository(tree), _repository(Path(run.repo))
    near = here is not None and there is not None and here.common_dir == there.common_dir
    if not near and not _own(run, caller, tree):
        hint = f'a person can: `abreast tell {name} "…"`'
        raise ContractError(f"{name} is at work in another repository", hint=hint)


def _own(run: Run, caller: Caller, tree: Path) -> bool:
    if any(session.parent != caller.parent for session in run.sessions):
        return False
    # A session has a name of its own; of a CLI alone there may be several, each in its own tree.
    here = _repository(tree)
    named = ":" in caller.parent or "/" in caller.parent
    return named or (here is not None and here.place == Path(run.repo))


def _repository(folder: Path) -> Repository | None:
    try:
        return find_repository(folder, worktrees=find_places().worktrees)
    except AbreastError:
        return None
