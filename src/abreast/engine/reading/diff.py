"""A session's changes against its base, and what landing them would change."""

from pathlib import Path

from abreast.engine.common.layout import SessionLayout, layout_of, repository_of_run
from abreast.engine.common.undo import is_undone
from abreast.errors import StateError
from abreast.git.changes import Form, diff_text, quarantine, worktree_diff
from abreast.git.collide import commit_on, contained
from abreast.git.commit import tree_of
from abreast.git.guard import guard_worktree
from abreast.git.merge import merge_trees
from abreast.git.repository import Repository, read_ref
from abreast.git.snapshot import build_tree
from abreast.model.session import LandState, Run, Session, SessionKind
from abreast.model.text import named
from abreast.places import Places
from abreast.store.reader import Reader


def repository_of(session: Session, places: Places) -> Repository:
    """Return the repository that a session's run is about; raises NotFoundError when it is gone.

    It is called with the configuration from when the run began.
    """
    found = Reader(places.database).run(session.run)
    return repository_of_run(places, session.run, Path(found.repo if found else ""))


def form_of(*, stat: bool, binary: bool, width: int = 0) -> Form:
    """Return the form of a diff: a summary, whole or in `width` columns, or a patch."""
    if not stat:
        return ("--binary",) if binary else ("-p",)
    # No name is cut in a pipe; the bars stay short.
    return (f"--stat={width or _WHOLE}", *(() if width else (f"--stat-graph-width={_BAR}",)))


_WHOLE, _BAR = 10_000, 40  # columns


def diff(session: Session, places: Places, form: Form) -> str:
    """Return a session's diff: of its worktree, else of its commit, else of what was kept.

    Raises StateError when it has not begun, and for a child that only reads.
    """
    repository, layout = _opened(session, places)
    if not session.commit and layout.worktree.exists():
        tree = guard_worktree(repository, layout.worktree)
        return worktree_diff(repository, tree, session.base_sha, form)
    tip = session.commit or read_ref(repository, layout.ref("snap"))
    return diff_text(repository, session.base_sha, tip or session.base_sha, form)


def diff_as_merged(session: Session, run: Run, places: Places, form: Form) -> str:
    """Return what landing a session would change in its target as it is now.

    That is without what hooks may add, and by git's own merge. Raises StateError as `diff`, for
    what has landed, and for what conflicts with the target.
    """
    if session.landing in {LandState.LANDED, LandState.UNDONE}:
        said = is_undone(session) or f"{session.id} has landed as {session.landed_name}"
        raise StateError(said, hint=f"abreast diff {session.id} prints its own change")
    repository, layout = _opened(session, places)
    target = read_ref(repository, f"refs/heads/{run.target}") if run.target else None
    if target is None:
        raise StateError(f"run {run.id} has no target", hint=f"abreast diff {session.id}")
    with quarantine(repository) as env:
        tip, base = session.commit or read_ref(repository, layout.ref("snap")), session.base_sha
        if not session.commit and layout.worktree.exists():
            tree = build_tree(guard_worktree(repository, layout.worktree), env=env).tree
            tip = commit_on(repository, tree, base, env)
        if tip and contained(repository, {base}, target, env):
            # What it builds on is there, maybe by other commits.
            tip = commit_on(repository, tree_of(repository, tip), base, env)
        merged = merge_trees(repository, target, tip or base, env=env)
        if not merged.clean:
            raise StateError(
                f"{session.id} conflicts with {run.target} in {named(merged.conflicts)}",
                hint=f"abreast show {session.id} has what can be done",
            )
        return diff_text(repository, target, merged.tree, form, env=env)


def _opened(session: Session, places: Places) -> tuple[Repository, SessionLayout]:
    if session.kind is SessionKind.CHILD and not session.worktree:
        raise StateError(
            f"{session.id} is a delegation without a worktree: it has nothing to compare",
            hint=f"abreast collect {session.id} prints its answer",
        )
    repository = repository_of(session, places)
    layout = layout_of(session, places, repository.common_dir)
    if not session.base_sha or not session.worktree:
        raise StateError(
            f"{session.id} has not started: it is {session.state}",
            hint=f"abreast status {session.run}",
        )
    return repository, layout
