"""Bring a worktree of ours to a given commit or tree."""

from pathlib import Path

from abreast.git.call import call


def switch_detached(worktree: Path, commit: str) -> None:
    """Make `worktree` show `commit` with a detached HEAD, writing only files that differ.

    Changes and untracked files there are dropped, ignored ones (build caches) stay: for scratch
    worktrees, which hold nobody's work.
    """
    call(worktree, "reset", "-q", "--hard")
    call(worktree, "clean", "-ffdq")
    call(worktree, "checkout", "-q", "--detach", "--force", "--no-recurse-submodules", commit)


def restore_tree(worktree: Path, tree: str) -> None:
    """Make the files of `worktree` those of `tree`, HEAD staying where it is.

    The index comes to hold the tree; untracked files that are not ignored are removed.
    """
    call(worktree, "read-tree", tree)
    call(worktree, "checkout-index", "-q", "--all", "--force")
    call(worktree, "clean", "-ffdq")
