"""Where a session starts: its base commit, its worktree, the commands of the plan in it."""

from pathlib import Path

from abreast.agents.base import Command, StopSignal
from abreast.engine.environment import plain_environment
from abreast.engine.session import before
from abreast.engine.session.ending import Ending
from abreast.engine.session.jobs import Order
from abreast.engine.session.place import make_place, put_aside
from abreast.engine.session.scene import Scene
from abreast.engine.warm import in_warm_worktree
from abreast.errors import StateError
from abreast.git.commit import commit_tree
from abreast.git.include import copy_included
from abreast.git.making import Made
from abreast.git.merge import merge_trees
from abreast.git.refs import read_ref, swap_ref
from abreast.git.repository import is_ancestor
from abreast.model.limits import Limits
from abreast.model.session import Session
from abreast.model.states import SessionState
from abreast.store.changes import Change


def prepare(scene: Scene) -> Ending | None:
    """Make the session's worktree at its start commit; a fresh attempt puts the last one aside."""
    store = scene.engine.store
    store.update_session(scene.session.id, Change(state=SessionState.PREPARING))
    scene.layout.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if scene.layout.attempt > 1 and not scene.session.cli_session:
        scene = put_aside(scene)
    start = start_commit(scene)
    scene = in_warm_worktree(scene, start)
    layout = scene.layout
    store.update_session(
        scene.session.id,
        Change(
            base_sha=start,
            branch=layout.branch,
            worktree=str(layout.worktree),
            directory=str(layout.directory),
        ),
    )
    ready = make_place(scene, start, again=bool(scene.session.cli_session))
    included = copy_included(scene.repository, layout.worktree)
    for path, why in included.skipped:
        store.add_event(scene.session.id, "warning", f".worktreeinclude: {path} left out: {why}")
    for note in ready.notes:
        store.add_event(scene.session.id, "warning", note)
    if ready.made is not Made.NEW:
        store.add_event(scene.session.id, "worktree", f"{ready.made} {layout.worktree}")
    before.note(scene)
    return None


def start_commit(scene: Scene) -> str:
    """Return the commit the session starts from: the base, or its predecessors' merged onto it.

    Kept under a ref, so that asking again after a crash gives the same commit. Raises StateError
    when predecessors conflict with each other.
    """
    start = scene.plan.base_sha
    if not scene.task.needs:
        return start
    ref = scene.layout.ref("base")
    known = read_ref(scene.repository, ref)
    if known:
        return known
    for earlier in scene.predecessors():
        start = _join(scene, start, earlier)
    swap_ref(scene.repository, ref, start, None, reason=f"abreast: base of {scene.layout.id}")
    return start


def _join(scene: Scene, start: str, earlier: Session) -> str:
    repo = scene.repository
    if not earlier.commit or is_ancestor(repo, earlier.commit, start):
        return start  # it changed nothing, or another predecessor builds on it
    if is_ancestor(repo, start, earlier.commit):
        return earlier.commit
    merged = merge_trees(repo, start, earlier.commit)
    if not merged.clean:
        raise StateError(
            f"what it needs does not merge: {earlier.task} conflicts in "
            + ", ".join(merged.conflicts[:5]),
            hint=f"let one of them need the other, then: abreast retry {scene.layout.id}",
        )
    message = f"Join {earlier.task} for {scene.task.id}"
    trailers = [("Abreast-Run", scene.run.id)]
    return commit_tree(repo, merged.tree, [start, earlier.commit], message, trailers=trailers)


def command_order(scene: Scene, name: str, line: str) -> Order:
    """Return the job that runs the plan's setup or verify command in the session's worktree."""
    return command_order_in(scene, name, line, scene.layout.worktree, scene.layout.stop_file)


def command_order_in(scene: Scene, name: str, line: str, place: Path, stop_file: Path) -> Order:
    """Return the job that runs the plan's setup or verify command in the folder `place`."""
    plan = scene.plan
    minutes = plan.setup_timeout_minutes if name == "setup" else plan.verify_timeout_minutes
    env = plain_environment(scene.environment(), plan.pass_env)
    return Order(
        command=Command(("sh", "-c", line), env, stop_signal=StopSignal.TERM),
        cwd=place,
        limits=Limits(minutes=minutes, idle_minutes=0),
        stop_file=stop_file,
    )
