"""A session's place: its worktree and branch, made, made again, or put aside."""

from dataclasses import replace

from abreast.engine.working.session.context import SessionContext
from abreast.engine.working.session.keeping import bring_back, make_room, tell_kept
from abreast.engine.working.warm_pool import give_back_worktree
from abreast.git.checkout import restore_tree
from abreast.git.commit import anchor, tree_of
from abreast.git.ignored import ignored_since
from abreast.git.making import Ready, ensure_worktree
from abreast.git.refs import delete_ref, read_ref, swap_ref
from abreast.git.removal import remove_worktree
from abreast.git.worktree import WorktreeSpec
from abreast.model.harmless import named


def spec_of(context: SessionContext, start: str) -> WorktreeSpec:
    """Return the worktree that this session works in."""
    layout = context.layout
    return WorktreeSpec(layout.worktree, layout.branch, start, f"abreast {layout.id}")


def make_worktree(context: SessionContext, start: str, *, again: bool) -> Ready:
    """Make the session's worktree, or use it as it is; safe to repeat.

    With `again`, one that was cleaned away comes back with the work that was in it, from its commit
    or else from what was kept under its ref.
    """
    repo, layout, spec = context.repository, context.layout, spec_of(context, start)
    gone = again and not layout.worktree.exists() and read_ref(repo, spec.ref) is None
    commit = context.session.commit
    if gone and commit:
        swap_ref(repo, spec.ref, commit, None, reason=f"abreast: {layout.id} brought back")
    ready = ensure_worktree(repo, spec, lock=context.lock)
    kept = read_ref(repo, layout.ref("snap")) if gone and not commit else None
    if kept:
        restore_tree(repo, context.tree, tree_of(repo, kept))
    if gone and (back := bring_back(layout)):
        context.add_event("kept", f"given back: {named(back)}")
    return ready


def put_aside(context: SessionContext) -> SessionContext:
    """Keep what an earlier attempt left, committed or not, under a ref; return what is cleared."""
    repo, layout = context.repository, context.layout
    if layout.worktree.exists():
        ignored = ignored_since(context.tree, context.session.started or 0.0)
        kept = make_room(repo, layout, context.session.base_sha, "put aside")
        tell_kept(context.engine.store, context.layout.id, kept)
        if ignored and not layout.slot:
            text = f"ignored files that were written there go with the worktree: {named(ignored)}"
            context.add_event("warning", text)
    spec = spec_of(context, context.plan.base_sha)
    if layout.slot:
        give_back_worktree(context)
    else:
        remove_worktree(repo, spec, trash=context.engine.places.trash, lock=context.lock)
    for ref in (layout.ref("snap"), spec.ref):
        tip = read_ref(repo, ref)
        if tip:
            anchor(repo, layout.ref("kept"), tip, reason=f"abreast: {layout.id} put aside")
            delete_ref(repo, ref, tip)
    base = read_ref(repo, layout.ref("base"))
    if base:
        delete_ref(repo, layout.ref("base"), base)
    return replace(context, layout=replace(layout, slot=None))
