"""The own configuration of an agent CLI: our tools and hooks in it."""

import os
from collections.abc import Mapping
from pathlib import Path

from abreast.engine.client.connect import ending_hook, register
from abreast.model.changes import Confirm, Connection, Scope
from abreast.places import Places, find_places


def connect(
    agent: str,
    *,
    scope: Scope | str = Scope.USER,
    remove: bool = False,
    repo: Path | None = None,
    confirm: Confirm | None = None,
    environ: Mapping[str, str] | None = None,
    places: Places | None = None,
) -> Connection:
    """Register the MCP server and the skill in an agent CLI's own configuration, or undo that.

    `repo` is a folder in the checkout that scope `project` means, by default the current one.
    `confirm` is given what would change, and returns whether to go on; without it nobody is asked.
    Raises AgentError when the CLI is missing or starts no servers, StateError when a file cannot
    be edited or changed meanwhile: then nothing has been written.
    """
    env = os.environ if environ is None else environ
    top = register.require_top(repo or Path.cwd()) if Scope(scope) is Scope.PROJECT else None
    where = places or find_places()
    return register.connect(agent, where, env, top=top, remove=remove, confirm=confirm)


def hook_handoff(
    agent: str,
    *,
    remove: bool = False,
    confirm: Confirm | None = None,
    environ: Mapping[str, str] | None = None,
    places: Places | None = None,
) -> Connection:
    """Have an agent CLI write a handoff whenever a session of it ends, or undo that.

    The hook goes into the user's own configuration. `confirm` is given what would change, and
    returns whether to go on. Raises as `connect` does.
    """
    env = os.environ if environ is None else environ
    where = places or find_places()
    return ending_hook.hook(agent, where, env, remove=remove, confirm=confirm)
