"""What of a session lands: its own change alone, and what it was built on by itself.

A session starts from the work of those that it waits for. That work is not its own: whether it
lands, and when, is decided by itself, and it may be in the target as other commits.
"""

from collections.abc import Collection

from abreast.engine.working.run_steps import has_landed
from abreast.engine.working.session.context import SessionContext
from abreast.git.merge import brings, holds
from abreast.model.session import LandState, Session, SessionState


def brings_others(context: SessionContext, target: str) -> bool:
    """Return whether a merge into `target` (a commit or full ref) would bring more than its own.

    So it is where a task that it builds on has not landed, or has landed as other commits.
    """
    if not _before(context):
        return False
    return brings(context.repository, context.session.base_sha, target, context.plan.base_sha)


def is_stacked(context: SessionContext) -> bool:
    """Return whether what the session needs is proposed, and waits for somebody to merge it."""
    found = _sessions(context)
    return any(one.landing is LandState.PROPOSED for one in found) and not any(
        context.plan.by_id()[name].after for name in (context.task.id, *_before(context))
    )


def others_named(context: SessionContext, ahead: Collection[str] = ()) -> str:
    """Return the tasks that the session was built on and that have not landed, in words.

    Those in `ahead`, which are about to land before it, count as landed.
    """
    return ", ".join(
        one.task
        for one in _sessions(context)
        if one.commit and not has_landed(one) and one.task not in ahead
    )


def need_not_landed(
    context: SessionContext, target: str, ahead: Collection[str] = ()
) -> Session | None:
    """Return one that the session needs and that `target` does not have, or None.

    Those in `ahead` are about to land before it. The store's word is held against the target,
    unless that is "": requests are merged elsewhere.
    """
    for need in context.predecessors():
        changed = bool(need.commit) or need.state is not SessionState.DONE  # it is worked on again
        if not changed or need.task in ahead or need.landing is LandState.PROPOSED:
            continue
        if not has_landed(need) or (target and not _is_there(context, need, target)):
            return need
    return None


def _is_there(context: SessionContext, need: Session, target: str) -> bool:
    return any(holds(context.repository, target, one) for one in (need.landed, need.commit) if one)


def _sessions(context: SessionContext) -> list[Session]:
    found = (context.engine.reader.session(f"{context.run.id}/{name}") for name in _before(context))
    return [one for one in found if one is not None]


def _before(context: SessionContext) -> list[str]:
    """Return all tasks that this one waits for, through others too."""
    tasks, found = context.plan.by_id(), list(context.task.waits_for)
    for name in found:  # it grows meanwhile
        found += [more for more in tasks[name].waits_for if more not in found]
    return found
