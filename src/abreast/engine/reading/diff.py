"""A session's changes against its base."""

from pathlib import Path

from abreast.engine.common.layout import layout_of, repository_of_run
from abreast.errors import StateError
from abreast.git.changes import Form, diff_text, worktree_diff
from abreast.git.guard import guard_worktree
from abreast.git.repository import Repository, read_ref
from abreast.model.session import Session, SessionKind
from abreast.places import Places
from abreast.store.reader import Reader


def repository_of(session: Session, places: Places) -> Repository:
    """Return the repository that a session's run is about; raises NotFoundError when it is gone.

    It is called with the configuration from when the run began.
    """
    found = Reader(places.database).run(session.run)
    return repository_of_run(places, session.run, Path(found.repo if found else ""))


def diff(session: Session, places: Places, *, stat: bool = False, binary: bool = False) -> str:
    """Return a session's diff: of its worktree, else of its commit, else of what was kept.

    Raises StateError when it has not begun, and for a child that only reads.
    """
    if session.kind is SessionKind.CHILD and not session.worktree:
        raise StateError(
            f"{session.id} is a delegation without a worktree: it has nothing to compare",
            hint=f"abreast collect {session.id} prints its answer",
        )
    form: Form = "--stat" if stat else "--binary" if binary else "-p"
    repository = repository_of(session, places)
    layout = layout_of(session, places, repository.common_dir)
    if not session.base_sha or not session.worktree:
        raise StateError(f"{session.id} has not started: it is {session.state}")
    if not session.commit and layout.worktree.exists():
        tree = guard_worktree(repository, layout.worktree)
        return worktree_diff(repository, tree, session.base_sha, form)
    tip = session.commit or read_ref(repository, layout.ref("snap"))
    return diff_text(repository, session.base_sha, tip or session.base_sha, form)
