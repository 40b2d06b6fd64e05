"""A session's place: its worktree and branch, made, made again, or put aside."""

from dataclasses import replace

from abreast.engine.session.keeping import bring_back, make_room, tell_kept
from abreast.engine.session.scene import Scene
from abreast.engine.warm import give_back_worktree
from abreast.git.checkout import restore_tree
from abreast.git.commit import anchor, tree_of
from abreast.git.ignored import ignored_since
from abreast.git.making import Ready, ensure_worktree
from abreast.git.refs import delete_ref, read_ref, swap_ref
from abreast.git.removal import remove_worktree
from abreast.git.worktree import WorktreeSpec
from abreast.model.harmless import named


def spec_of(scene: Scene, start: str) -> WorktreeSpec:
    """Return the worktree that this session works in."""
    layout = scene.layout
    return WorktreeSpec(layout.worktree, layout.branch, start, f"abreast {layout.id}")


def make_place(scene: Scene, start: str, *, again: bool) -> Ready:
    """Make the session's worktree, or use it as it is; safe to repeat.

    With `again`, one that was cleaned away comes back with the work that was in it, from its commit
    or else from what was kept under its ref.
    """
    repo, layout, spec = scene.repository, scene.layout, spec_of(scene, start)
    gone = again and not layout.worktree.exists() and read_ref(repo, spec.ref) is None
    commit = scene.session.commit
    if gone and commit:
        swap_ref(repo, spec.ref, commit, None, reason=f"abreast: {layout.id} brought back")
    ready = ensure_worktree(repo, spec, lock=scene.lock)
    kept = read_ref(repo, layout.ref("snap")) if gone and not commit else None
    if kept:
        restore_tree(repo, scene.tree, tree_of(repo, kept))
    if gone and (back := bring_back(layout)):
        scene.engine.store.add_event(layout.id, "kept", f"given back: {named(back)}")
    return ready


def put_aside(scene: Scene) -> Scene:
    """Keep what an earlier attempt left, committed or not, under a ref; return a cleared scene."""
    repo, layout = scene.repository, scene.layout
    if layout.worktree.exists():
        ignored = ignored_since(scene.tree, scene.session.started or 0.0)
        kept = make_room(repo, layout, scene.session.base_sha, "put aside")
        tell_kept(scene.engine.store, scene.layout.id, kept)
        if ignored and not layout.slot:
            text = f"ignored files that were written there go with the worktree: {named(ignored)}"
            scene.engine.store.add_event(layout.id, "warning", text)
    spec = spec_of(scene, scene.plan.base_sha)
    if layout.slot:
        give_back_worktree(scene)
    else:
        remove_worktree(repo, spec, trash=scene.engine.places.trash, lock=scene.lock)
    for ref in (layout.ref("snap"), spec.ref):
        tip = read_ref(repo, ref)
        if tip:
            anchor(repo, layout.ref("kept"), tip, reason=f"abreast: {layout.id} put aside")
            delete_ref(repo, ref, tip)
    base = read_ref(repo, layout.ref("base"))
    if base:
        delete_ref(repo, layout.ref("base"), base)
    return replace(scene, layout=replace(layout, slot=None))
