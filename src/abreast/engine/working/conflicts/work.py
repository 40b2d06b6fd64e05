"""The work of a session at a moment: a commit whose new objects lie in a throw-away folder.

Each look at a worktree has a folder of its own, beside the worktree; the one before is removed. So
what a session has ever written is not kept, only what it has now.
"""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from abreast.git.collide import commit_on
from abreast.git.guard import quoted
from abreast.git.guarded import Guarded
from abreast.git.repository import Repository
from abreast.git.snapshot import build_tree

MAX_NEW = 1_000_000
"""Bytes of the largest new file that is looked at; larger ones count when the session is done.

They are read anew after every turn, and are mostly what a build or a test has left.
"""
_PREFIX = "live."


@dataclass(frozen=True)
class LiveWork:
    """A commit of what a worktree holds, on `base`. Its objects are in `objects`, if not kept."""

    base: str
    tip: str
    tree: str = ""
    objects: Path | None = None

    def drop(self) -> None:
        """Remove its objects."""
        if self.objects is not None:
            shutil.rmtree(self.objects, ignore_errors=True)


def look_at(repo: Repository, tree: Guarded, base: str, last: LiveWork | None) -> LiveWork:
    """Return the work in a worktree that began at `base`; `last`, if it has not changed since.

    The worktree, its index and the repository stay as they are. `last` is dropped when it is not
    what is returned. Raises GitError or OSError when the worktree cannot be read.
    """
    if last is None:
        _sweep(tree)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=tree.git_dir))
    try:
        env = {
            "GIT_OBJECT_DIRECTORY": str(folder),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": quoted(str(repo.common_dir / "objects")),
        }
        made = build_tree(tree, max_untracked=MAX_NEW, env=env).tree
        same = last is not None and (last.base, last.tree) == (base, made)
        if last is not None and same:
            shutil.rmtree(folder, ignore_errors=True)
            return last
        work = LiveWork(base, commit_on(repo, made, base, env), made, folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    if last is not None:
        last.drop()
    return work


def _sweep(tree: Guarded) -> None:
    """Remove what a worker that was killed has left."""
    for folder in tree.git_dir.glob(f"{_PREFIX}*"):
        shutil.rmtree(folder, ignore_errors=True)
