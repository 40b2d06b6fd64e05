"""Bring a worktree of ours to a given commit or tree; no process may be at work in it."""

from pathlib import Path

from abreast.git.call import call
from abreast.git.hidden import look_at_all
from abreast.git.repository import Repository
from abreast.git.worktree import drop_stale_locks


def switch_detached(repo: Repository, worktree: Path, commit: str) -> None:
    """Make `worktree` show `commit` with a detached HEAD, writing only files that differ.

    Changes and untracked files there are dropped, ignored ones (build caches) stay: for scratch
    worktrees, which hold nobody's work.
    """
    drop_stale_locks(repo, worktree, "")
    look_at_all(worktree)
    call(worktree, "reset", "-q", "--hard")
    call(worktree, "clean", "-ffdq")
    call(worktree, "checkout", "-q", "--detach", "--force", "--no-recurse-submodules", commit)


def restore_tree(repo: Repository, worktree: Path, tree: str) -> None:
    """Make the files of `worktree` those of `tree`, HEAD staying where it is.

    The index comes to hold the tree; untracked files that are not ignored are removed.
    """
    drop_stale_locks(repo, worktree, "")
    call(worktree, "read-tree", tree)
    call(worktree, "checkout-index", "-q", "--all", "--force")
    call(worktree, "clean", "-ffdq")
