"""What of a session lands where something that it was built on has not: its own change alone.

A session starts from the work of those that it is only `after`. That work is not its own: whether
it lands, and when, is decided by itself.
"""

from abreast.engine.working.run_steps import has_landed
from abreast.engine.working.session.context import SessionContext
from abreast.git.merge import brings


def built_on_others(context: SessionContext, target: str) -> bool:
    """Return whether a merge into `target` (a commit or full ref) would bring more than its own.

    So it is where a task that it, or one that it builds on, is only `after` has not landed.
    """
    tasks = context.plan.by_id()
    if not any(tasks[name].after for name in (context.task.id, *_before(context))):
        return False  # what it needs has landed, or it would not be asked
    return brings(context.repository, context.session.base_sha, target, context.plan.base_sha)


def others_named(context: SessionContext) -> str:
    """Return the tasks that the session was built on and that have not landed, in words."""
    found = (context.engine.reader.session(f"{context.run.id}/{name}") for name in _before(context))
    names = [one.task for one in found if one and one.commit and not has_landed(one)]
    return ", ".join(names) or "earlier work"


def _before(context: SessionContext) -> list[str]:
    """Return all tasks that this one waits for, through others too."""
    tasks, found = context.plan.by_id(), list(context.task.waits_for)
    for name in found:  # it grows meanwhile
        found += [more for more in tasks[name].waits_for if more not in found]
    return found
