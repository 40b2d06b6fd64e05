"""Land by pull request: push the session's branch, and open one request for it, never two."""

import json

from abreast.engine.common.check import REMOTE
from abreast.engine.working.session.context import SessionContext
from abreast.errors import CommandError
from abreast.git.call import environment
from abreast.git.repository import Repository
from abreast.model.session import LandState
from abreast.process.command import run
from abreast.store.rows import SessionUpdate

_TIMEOUT = 120.0  # seconds for one call over the network
_LOOK = 20.0  # the same where somebody waits for a list


def propose(context: SessionContext, commit: str) -> SessionUpdate:
    """Push `commit` as the session's branch; return its pull request, found or newly opened.

    Safe to repeat: a request whose head is this branch is found first. Raises CommandError with
    what git or gh said.
    """
    branch, repo = context.layout.branch, context.repository
    repo.call("push", "--quiet", REMOTE, f"+{commit}:refs/heads/{branch}", as_user=True)
    found = _gh(context, "pr", "list", "--head", branch, "--state", "all", "--json", "url")
    known = [str(request["url"]) for request in json.loads(found or "[]")]
    address = known[0] if known else _open(context, branch)
    return SessionUpdate(landing=LandState.PROPOSED, landed=address)


def _open(context: SessionContext, branch: str) -> str:
    body = f"{context.session.final_message}\n\nAbreast-Session: {context.session.id}\n"
    title = context.task.produces
    options = ["--head", branch, "--base", context.run.target, "--title", title, "--body", body]
    return _gh(context, "pr", "create", *options).strip().splitlines()[-1]


def was_merged(repository: Repository, address: str, commit: str) -> bool:
    """Return whether the pull request at `address` was merged with `commit` as its head.

    What `gh` cannot tell (no network, no login, no such request) was not merged.
    """
    asked = ["gh", "pr", "view", address, "--json", "state,headRefOid"]
    try:
        env = environment()
        done = run(asked, cwd=repository.place, env=env, timeout=_LOOK)
        found = json.loads(done.stdout)
        return bool(found["state"] == "MERGED" and found["headRefOid"] == commit)
    except (CommandError, ValueError, KeyError, TypeError):
        return False


def _gh(context: SessionContext, *args: str) -> str:
    env = environment() | {
        name: value
        for name, value in context.environment().items()
        if name == "PATH" or name.startswith(("GH_", "GITHUB_TOKEN"))
    }
    try:
        return run(["gh", *args], cwd=context.repository.place, env=env, timeout=_TIMEOUT).stdout
    except CommandError as error:
        error.hint = error.hint or "`gh auth status` tells whether gh is logged in"
        raise
