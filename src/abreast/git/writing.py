"""A commit's files written into a folder that is no checkout."""

import tempfile
from pathlib import Path

from abreast.git.repository import Repository


def write_files(repo: Repository, commit: str, folder: Path) -> None:
    """Write all files of a commit below `folder`, which must be empty.

    The repository's guard decides which filters run; the folder does not become a worktree, and
    submodules stay empty folders. Raises GitError.
    """
    with tempfile.TemporaryDirectory(prefix="abreast-index.") as scratch:
        env = {"GIT_INDEX_FILE": str(Path(scratch, "index")), "GIT_WORK_TREE": str(folder)}
        repo.call("read-tree", "--reset", "-u", commit, env=env)
