"""Which sessions a client may reach by name; all parents on a machine share the names.

Anyone who knows the name can collect an answer. Only the parent that started a child can stop it.
Sessions of the same repository can send it messages, which name their sender.
"""

from pathlib import Path

from abreast.api.looking import find_run, run_or_session
from abreast.errors import AbreastError, ContractError
from abreast.git.repository import Repository, find_repository
from abreast.mcp_server.caller import Caller
from abreast.model.session import Run
from abreast.places import find_places


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
