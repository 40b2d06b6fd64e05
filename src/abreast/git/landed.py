"""Whether work has got into a branch, judged by git's own merge alone.

Neither patch ids nor the repository's merge drivers are asked. `git cherry` ignores white space and
counts a commit that was picked and then reverted; a driver may keep one side whatever the other
holds. Both would call landed what is nowhere else.
"""

import os
import shutil
import tempfile
from enum import StrEnum
from pathlib import Path

from abreast.git.changes import quarantine
from abreast.git.commit import tree_of
from abreast.git.merge import Merged, merge_trees
from abreast.git.repository import Repository, is_ancestor


class Landed(StrEnum):
    """Why a commit counts as landed in a target."""

    CONTAINED = "contained"  # the target's history contains it
    NOTHING_TO_ADD = "nothing to add"  # merging it changes nothing, as after a squash or a rebase


def is_landed(repo: Repository, commit: str, target: str) -> Landed | None:
    """Tell how the work of `commit` got into `target` (a commit or full ref); None: it did not."""
    tip = repo.call("rev-parse", "--verify", "--end-of-options", f"{target}^{{commit}}").stdout
    target = tip.strip()
    if is_ancestor(repo, commit, target):
        return Landed.CONTAINED
    if not repo.call("merge-base", commit, target, codes=(0, 1)).stdout:
        return None
    return Landed.NOTHING_TO_ADD if adds_nothing(repo, commit, target) else None


def adds_nothing(repo: Repository, commit: str, target: str) -> bool:
    """Return whether merging two commits (ids) without drivers gives exactly the target's tree."""
    merged = merge_plainly(repo, target, commit)
    return merged.clean and merged.tree == tree_of(repo, target)


def merge_plainly(repo: Repository, ours: str, theirs: str) -> Merged:
    """Merge two commits (ids) as git does without any configuration or attributes; no object stays.

    A custom driver can be named by `.gitattributes`, `info/attributes`, `core.attributesFile` or
    `merge.default`, so the merge runs in an empty git directory that borrows the objects.
    Raises `GitError` when the two have no common ancestor.
    """
    with tempfile.TemporaryDirectory(prefix="abreast-merge.") as name, quarantine(repo) as objects:
        folder = Path(name)
        for part in ("refs", "objects"):
            (folder / part).mkdir()
        (folder / "HEAD").write_text("ref: refs/heads/none\n")
        (folder / "config").write_text(_CONFIG + _LONG_IDS * (len(ours) > _SHA1))
        if (shallow := repo.common_dir / "shallow").exists():
            shutil.copyfile(shallow, folder / "shallow")
        return merge_trees(repo, ours, theirs, env=objects | _NO_SETTINGS, git_dir=folder)


_SHA1 = 40  # hexadecimal digits
_LONG_IDS = "[extensions]\n\tobjectFormat = sha256\n"
_CONFIG = f"""\
[core]
\trepositoryFormatVersion = 1
\tbare = true
\tattributesFile = {os.devnull}
"""
_NO_SETTINGS = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_ATTR_NOSYSTEM": "1",
}
