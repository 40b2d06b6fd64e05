"""What a session's work amounts to: checked, verified, committed, or kept when it is not done."""

from functools import lru_cache

from abreast.agents import mailbox
from abreast.engine.handoff.session import leave
from abreast.engine.session import before, trespass
from abreast.engine.session.ending import Ending
from abreast.engine.session.final import write_ending
from abreast.engine.session.own_commits import keep_left, left_by
from abreast.engine.session.scene import Scene
from abreast.git.changes import changed_files
from abreast.git.checkout import restore_tree
from abreast.git.commit import anchor, commit_tree, seal, tree_of
from abreast.git.repository import Repository
from abreast.git.snapshot import build_tree, snapshot
from abreast.handoff.questions import questions_in
from abreast.model.harmless import one_line
from abreast.model.states import SessionKind, SessionState
from abreast.process.files import write_atomic
from abreast.store.changes import Change


def check(scene: Scene) -> Ending | None:
    """Hold what is in the worktree against the task, and note the tree that is to be committed.

    Where a verify command comes next, the tree is kept under a ref as a candidate: the command may
    do anything to the worktree. Otherwise it is committed at once.
    """
    if ending := trespass.judge(scene):
        return ending
    repo, layout, base = scene.repository, scene.layout, scene.session.base_sha
    built, base_tree = build_tree(layout.worktree), _base_tree(repo, base)
    worked = built.tree not in {base_tree, _left_by_setup(scene)}
    changes = changed_files(repo, base, built.tree) if worked else ()
    files = tuple(change.path for change in changes)
    scene.engine.store.update_session(scene.session.id, Change(files=files))
    if built.skipped:
        path, why = built.skipped[0]
        hint = "let .gitignore name it, or the task not make it"
        return Ending(SessionState.FAILED, f"{path} cannot be committed: {why}", hint)
    if ending := _unexpected(scene, files):
        return ending
    tree = built.tree if worked else base_tree
    if scene.task.verify:
        candidate = commit_tree(repo, tree, [base], f"candidate {layout.id}")
        anchor(repo, layout.ref("snap"), candidate, reason=f"abreast: {layout.id}, to be verified")
    write_atomic(layout.directory / "tree", tree)
    return None


@lru_cache(maxsize=64)
def _base_tree(repo: Repository, base: str) -> str:
    """Return the tree of a commit given by its id; mostly, the sessions of a run share one base."""
    return tree_of(repo, base)


def _unexpected(scene: Scene, files: tuple[str, ...]) -> Ending | None:
    """Return the ending of an agent that changed nothing and should have, or the reverse."""
    changes = scene.task.changes
    if changes and not files and scene.session.kind is SessionKind.TASK:
        if asked := questions_in(scene.session.final_message):
            hint = f"answer it: abreast attach {scene.session.id}"
            return Ending(SessionState.BLOCKED, f"it asks: {one_line(asked[0])}", hint)
        hint = "if that is as it should be, give the task `changes = false`"
        return Ending(SessionState.FAILED, "it ended well, but changed nothing", hint)
    if files and not changes:
        names = ", ".join(files[:5])
        return Ending(SessionState.FAILED, f"it was to change nothing, but changed {names}")
    return None


def after_setup(scene: Scene) -> None:
    """Note what the setup command has changed: it does not count as the agent's work."""
    before.note(scene, anew=True)
    if scene.session.cli_session:
        return  # the agent goes on where it was: what is there is its own
    tree = build_tree(scene.layout.worktree).tree
    changes = changed_files(scene.repository, scene.session.base_sha, tree)
    if changes:
        names = ", ".join(change.path for change in changes[:5])
        text = f"setup has changed {names}; what .gitignore does not name will be committed"
        scene.engine.store.add_event(scene.session.id, "warning", text)
        write_atomic(scene.layout.directory / "setup-tree", tree)


def _left_by_setup(scene: Scene) -> str:
    file = scene.layout.directory / "setup-tree"
    return file.read_text(encoding="ascii") if file.exists() else ""


def after_verify(scene: Scene) -> None:
    """Put the worktree back to what is to be committed, whatever the verify command left there.

    What it left is kept under a ref first.
    """
    tree = _candidate(scene)
    if build_tree(scene.layout.worktree).tree != tree:
        ref = scene.layout.ref("snap")
        snapshot(scene.repository, scene.layout.worktree, ref, f"abreast: {scene.layout.id} verify")
        restore_tree(scene.repository, scene.layout.worktree, tree)


def _candidate(scene: Scene) -> str:
    return (scene.layout.directory / "tree").read_text(encoding="ascii")


def commit(scene: Scene) -> Ending:
    """Put the checked tree on the session's branch as one commit, and tell whether that is proven.

    Done is a clean worktree whose HEAD is on the session's branch, and that at the commit.
    """
    if ending := trespass.judge(scene):
        return ending  # verify has run what the agent wrote
    repo, layout, base = scene.repository, scene.layout, scene.session.base_sha
    store = scene.engine.store
    tree = _candidate(scene)
    if _left_by_setup(scene) and tree == _base_tree(repo, base):
        after_verify(scene)  # what setup has left is no work
    store.update_session(scene.session.id, Change(state=SessionState.COMMITTING))
    sealed = seal(
        repo,
        layout.worktree,
        tree=tree,
        branch=layout.branch,
        base=base,
        message=scene.task.produces,
        keep_ref=layout.ref("agent"),
        trailers=[("Abreast-Run", scene.run.id), ("Abreast-Session", layout.id)],
        also=left_by(repo, layout, base),
    )
    if sealed.own:
        text = f"the agent's own {len(sealed.own)} commits are kept under {sealed.kept}"
        store.add_event(scene.session.id, "squashed", text)
    if not sealed.left.clean:
        return Ending(SessionState.UNKNOWN, f"changed while it was committed: {sealed.left}")
    store.update_session(scene.session.id, Change(commit=sealed.commit or ""))
    return Ending(SessionState.DONE)


def finish(scene: Scene, ending: Ending | None) -> Ending:
    """Write down the final state; what is not proven to be done is kept first."""
    final = ending or Ending(SessionState.UNKNOWN, "nothing shows that it is done")
    final = trespass.told(scene, final)
    if final.state is not SessionState.DONE:
        _keep(scene)
        trespass.come_home(scene)
    for mail in mailbox.pending(scene.layout.mailbox):
        scene.engine.store.add_event(scene.session.id, "unheard", mail.text)
    child = scene.session.kind is SessionKind.CHILD
    if not child:
        leave(scene, final)  # first: the session that needs it starts at its end
    began = scene.session.started is not None
    written = write_ending(
        scene.engine, scene.session.id, final, attempt=scene.layout.attempt, began=began
    )
    if child:
        leave(scene, final)  # last: a parent waits for the end, and has the deliverable
    return written


def _keep(scene: Scene) -> None:
    """Keep under a ref what is in the worktree, uncommitted work included."""
    layout = scene.layout
    if layout.worktree.exists():
        keep_left(scene.repository, layout, scene.session.base_sha)
        snapshot(scene.repository, layout.worktree, layout.ref("snap"), f"abreast: {layout.id}")
