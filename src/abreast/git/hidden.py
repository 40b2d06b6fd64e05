"""Files that an index says not to look at: an edit of one is in no status and outlives a reset."""

from pathlib import Path

from abreast.git.call import call, git, split


def look_at_all(worktree: Path) -> list[str]:
    """Clear the bits assume-unchanged and skip-worktree in a worktree of ours; return the files.

    The files outside of a sparse checkout keep theirs. No process may be at work there.
    """
    tagged = [(line[0], line[2:]) for line in split(git(worktree, "ls-files", "-v", "-z"))]
    assumed = [path for tag, path in tagged if tag.islower()]
    skipped = [path for tag, path in tagged if tag in "Ss"]
    if skipped and _is_sparse(worktree):
        skipped = []
    for bit, paths in (("--no-assume-unchanged", assumed), ("--no-skip-worktree", skipped)):
        if paths:
            listed = "".join(f"{path}\0" for path in paths)
            call(worktree, "update-index", bit, "-z", "--stdin", stdin=listed)
    return sorted({*assumed, *skipped})


def _is_sparse(worktree: Path) -> bool:
    asked = ("config", "--type=bool", "--get", "core.sparseCheckout")
    return call(worktree, *asked, codes=(0, 1)).stdout.strip() == "true"
