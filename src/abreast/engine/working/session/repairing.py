"""A session that is repaired: where it begins, what it is told, and what it has dropped.

All of that is in the merge that its landing has made (`landing/repair.py`).
"""

from abreast.engine.working.session.context import SessionContext
from abreast.engine.working.session.keeping import make_room, tell_kept
from abreast.git.changes import changed_files
from abreast.git.commit import anchor, checkout_clean, message_of, restore_tree, tree_of
from abreast.git.repository import move_branch, read_ref
from abreast.git.vanished import losses
from abreast.model.text import harmless, one_line

_SHOWN = 50  # lines that were dropped


def target_of_repair(context: SessionContext) -> str:
    """Return the commit of the target that a repair begins on."""
    return _parent(context, 1)


def begin_repair(context: SessionContext, start: str) -> None:
    """Make the session's worktree the merge of its repair, on the target's commit `start`.

    What was there is kept under refs. Git's marks stand where the two conflict; HEAD and index are
    at `start`, so whatever differs from the target is to be seen. Safe to repeat.
    """
    repo, layout, merge = context.repository, context.layout, context.session.mending
    kept = make_room(repo, layout, context.session.base_sha, "before its repair")
    tell_kept(context.engine.store, layout.id, kept.notes)
    own = _parent(context, 2)
    anchor(repo, layout.ref("kept"), own, reason=f"abreast: {layout.id}, repaired since")
    tip = read_ref(repo, f"refs/heads/{layout.branch}")
    if tip != start:
        if tip:
            anchor(repo, layout.ref("kept"), tip, reason=f"abreast: {layout.id}, repaired since")
        move_branch(repo, layout.branch, start, tip, reason="abreast: to be repaired")
    restore_tree(repo, context.tree, tree_of(repo, merge))
    checkout_clean(context.tree, layout.branch)


def told_of_repair(context: SessionContext) -> str:
    """Return what a session is told of why it is repaired."""
    return message_of(context.repository, context.session.mending)


def dropped(context: SessionContext, commit: str) -> tuple[str, ...]:
    """Return the lines that the target had got and that `commit`, a repair's result, has not.

    Each as `path: line`, at most 50 and then how many more there are.
    """
    merge = context.session.mending
    repo, target, own = context.repository, f"{merge}^1", f"{merge}^2"
    base = f"{own}^1"  # the session's commit is the one commit after its base
    paths = [one.path for one in changed_files(repo, base, target)]
    found = losses(repo, (base, target, own, commit), paths, only_ours=True)
    lines = [
        f"{one_line(harmless(path))}: {one_line(harmless(line).strip())}"
        for path, loss in found.items()
        for line in loss.lost
    ]
    more = len(lines) - _SHOWN
    return (*lines[:_SHOWN], *([f"and {more} more"] if more > 0 else []))


def _parent(context: SessionContext, number: int) -> str:
    merge = f"{context.session.mending}^{number}"
    return context.repository.call("rev-parse", "--verify", merge).stdout.strip()
