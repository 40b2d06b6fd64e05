"""Land by pull request: push the session's branch, and open one request for it, never two."""

from abreast.engine.common.forge import REMOTE, VARIABLES, Forge, forge_of
from abreast.engine.working.landing.request_body import described_anew, request_body
from abreast.engine.working.session.context import SessionContext
from abreast.git.call import environment
from abreast.git.push import push_branch
from abreast.model.pull_request import PullRequest, RequestState
from abreast.model.session import LandState
from abreast.model.text import harmless, one_line
from abreast.store.rows import SessionUpdate

_TITLE = 200  # characters


def propose(context: SessionContext, commit: str) -> SessionUpdate:
    """Push `commit` as the session's branch; return its pull request, found or newly opened.

    A request counts if it is open and onto the run's target. One that was merged with this commit
    as its head has landed. Safe to repeat. Raises StateError when the remote's branch has what
    abreast did not push, and CommandError with what git or the forge's program said.
    """
    branch, target = context.layout.branch, context.run.target
    forge = _forge(context)
    known = forge.find(branch, target)
    merged = next((one for one in known if one.state is RequestState.MERGED), None)
    if merged is not None and merged.head == commit:
        return SessionUpdate(landing=LandState.LANDED, landed=merged.address)
    push_branch(context.repository, REMOTE, branch, commit, context.layout.id)
    body = request_body(context)
    request = next((one for one in known if one.open), None)
    if request is not None:
        _describe(forge, request, body)
        address = request.address
    else:
        title = one_line(harmless(context.task.produces), _TITLE)
        address = forge.create(branch, target, title, body, context.plan.pr)
    return SessionUpdate(landing=LandState.PROPOSED, landed=address)


def _describe(forge: Forge, request: PullRequest, body: str) -> None:
    """Renew our part of a request's text; what people have written stays."""
    text = described_anew(request.body, body)
    if text != request.body:
        forge.describe(request.address, text)


def _forge(context: SessionContext) -> Forge:
    own = context.environment().items()
    names = ("PATH", *VARIABLES)
    env = environment() | {name: value for name, value in own if name.startswith(names)}
    return forge_of(context.repository, env, context.plan.pr.forge)
