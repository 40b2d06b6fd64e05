"""Bring a worktree of ours to a given commit or tree; no process may be at work in it."""

import os
import shutil
from pathlib import Path

from abreast.git.aside import move_aside
from abreast.git.call import OUR_CONFIGURATION, environment, git
from abreast.git.guarded import Guarded
from abreast.git.repository import Repository
from abreast.git.status import forget_operation, own_git_dir, set_head
from abreast.git.worktree import drop_stale_locks


def switch_detached(repo: Repository, worktree: Guarded, commit: str) -> None:
    """Make `worktree` show `commit` with a detached HEAD, writing only files that differ.

    Changes and untracked files there are dropped, ignored ones (build caches) stay: for scratch
    worktrees, which hold nobody's work.
    """
    drop_stale_locks(repo, worktree.path, "")
    forget_operation(worktree)
    point_back(worktree)
    set_head(worktree, commit)
    show(worktree, commit)


def point_back(worktree: Guarded, aside: Path | None = None) -> bool:
    """Make the `.git` of a worktree name its own folder again; return whether it did not.

    A repository that lies in its place is moved to `aside`; without that it is deleted.
    """
    worktree.require_real()
    if own_git_dir(worktree.path) == worktree.admin:
        return False
    marker = worktree.path / ".git"
    if aside is not None:
        move_aside(worktree.path, [".git"], aside)
    elif marker.is_dir() and not marker.is_symlink():
        shutil.rmtree(marker)
    marker.unlink(missing_ok=True)
    marker.write_bytes(b"gitdir: " + os.fsencode(worktree.admin) + b"\n")
    return True


def restore_tree(repo: Repository, worktree: Guarded, tree: str) -> None:
    """Make the files of `worktree` those of `tree`, HEAD staying where it is.

    The index comes to hold the tree; untracked files that are not ignored are removed.
    """
    drop_stale_locks(repo, worktree.path, "")
    show(worktree, tree)


def show(worktree: Guarded, what: str) -> None:
    """Make files and index those of a commit or tree; of other files only ignored ones stay.

    Done as the user: a filter, or a clone that lacks objects, may have to fetch.
    """
    env = {**environment(), **OUR_CONFIGURATION, "GIT_INDEX_FILE": str(worktree.start)}
    (worktree.start.with_name("start.lock")).unlink(missing_ok=True)
    git(worktree, "read-tree", "--reset", "-u", what, env=env)
    # Repositories made inside go, too (-ff); ignored files stay (no -x).
    git(worktree, "clean", "-ffdq", env={"GIT_INDEX_FILE": str(worktree.start)})
    worktree.give_index()
