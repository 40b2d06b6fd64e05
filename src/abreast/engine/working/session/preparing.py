"""Where a session starts: its base commit, its worktree, the commands of the plan in it."""

from pathlib import Path

from abreast.agents.base import Command, StopSignal
from abreast.engine.common.ending import Ending
from abreast.engine.common.environment import plain_environment
from abreast.engine.working.session import baseline
from abreast.engine.working.session.context import SessionContext
from abreast.engine.working.session.jobs import Order
from abreast.engine.working.session.worktree import in_warm_worktree, make_worktree, put_aside
from abreast.errors import StateError
from abreast.git.commit import commit_tree
from abreast.git.include import copy_included
from abreast.git.making import Made
from abreast.git.merge import merge_trees
from abreast.git.repository import is_ancestor, read_ref, swap_ref
from abreast.model.session import Session, SessionState
from abreast.model.task import Limits
from abreast.store.changes import SessionUpdate


def prepare(context: SessionContext) -> Ending | None:
    """Make the session's worktree at its start commit; a fresh attempt puts the last one aside."""
    context.update(SessionUpdate(state=SessionState.PREPARING))
    context.layout.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if context.layout.attempt > 1 and not context.session.cli_session:
        context = put_aside(context)
    start = start_commit(context)
    context = in_warm_worktree(context, start)
    layout = context.layout
    context.update(
        SessionUpdate(
            base_sha=start,
            branch=layout.branch,
            worktree=str(layout.worktree),
            directory=str(layout.directory),
        ),
    )
    ready = make_worktree(context, start, again=bool(context.session.cli_session))
    included = copy_included(context.repository, layout.worktree)
    for path, why in included.skipped:
        context.add_event("warning", f".worktreeinclude: {path} left out: {why}")
    for note in ready.notes:
        context.add_event("warning", note)
    if ready.made is not Made.NEW:
        context.add_event("worktree", f"{ready.made} {layout.worktree}")
    baseline.note(context)
    return None


def start_commit(context: SessionContext) -> str:
    """Return the commit the session starts from: the base, or its predecessors' merged onto it.

    Kept under a ref, so that asking again after a crash gives the same commit. Raises StateError
    when predecessors conflict with each other.
    """
    start = context.plan.base_sha
    if not context.task.needs:
        return start
    ref = context.layout.ref("base")
    known = read_ref(context.repository, ref)
    if known:
        return known
    for earlier in context.predecessors():
        start = _join(context, start, earlier)
    swap_ref(context.repository, ref, start, None, reason=f"abreast: base of {context.layout.id}")
    return start


def _join(context: SessionContext, start: str, earlier: Session) -> str:
    repo = context.repository
    if not earlier.commit or is_ancestor(repo, earlier.commit, start):
        return start  # it changed nothing, or another predecessor builds on it
    if is_ancestor(repo, start, earlier.commit):
        return earlier.commit
    merged = merge_trees(repo, start, earlier.commit)
    if not merged.clean:
        raise StateError(
            f"the tasks it needs do not merge: {earlier.task} conflicts in "
            + ", ".join(merged.conflicts[:5]),
            hint=f"let one of them need the other, then: abreast retry {context.layout.id}",
        )
    message = f"Join {earlier.task} for {context.task.id}"
    trailers = [("Abreast-Run", context.run.id)]
    return commit_tree(repo, merged.tree, [start, earlier.commit], message, trailers=trailers)


def command_order(context: SessionContext, name: str, place: Path, stop_file: Path) -> Order:
    """Return the job that runs the plan's setup or verify command in the folder `place`."""
    plan, line = context.plan, context.task.commands[name]
    minutes = plan.setup_timeout_minutes if name == "setup" else plan.verify_timeout_minutes
    env = plain_environment(context.environment(), plan.pass_env)
    return Order(
        command=Command(("sh", "-c", line), env, stop_signal=StopSignal.TERM),
        cwd=place,
        limits=Limits(minutes=minutes, idle_minutes=0),
        stop_file=stop_file,
        places=context.engine.places,
    )
