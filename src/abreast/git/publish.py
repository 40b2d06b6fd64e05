"""Objects into the repository's store: as one pack that no `git gc` takes away, then the ref.

A `git gc --prune=now` of the user's removes what no ref reaches, also what was written a moment
ago; and what was found in the store need not stay there. So objects are written to a worktree's own
folder first. They come into the store as one pack, marked to be kept, with all that the repository
cannot be sure to have; the mark goes when the ref is there and all it reaches is.
"""

import contextlib
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from abreast.git.call import call
from abreast.git.guarded import Guarded
from abreast.git.repository import Repository

_KEPT_BY = "abreast"
_OLD = 3600.0  # seconds; a mark is needed for milliseconds, so an older one was left by a killed us


@contextlib.contextmanager
def published(
    repo: Repository, tree: Guarded, commit: str, *, known: Sequence[str]
) -> Iterator[None]:
    """Bring `commit` and all it reaches into the store; the block makes a ref reach it.

    `known` are commits that refs reach already: what they contain is not sent. Afterwards all that
    the commit reaches is shown to be there. Raises `GitError` when it is not.
    """
    with move_pack(pack(tree, [commit], known), tree, repo.common_dir) as name:
        yield
        if name:
            exclude = [f"^{one}" for one in known]
            repo.call("rev-list", "--objects", "--quiet", commit, *exclude)


def pack(tree: Guarded, tips: Sequence[str], known: Sequence[str]) -> str:
    """Write what `tips` reach and `known` do not to a pack in the worktree's folder; its name.

    "" when that is nothing.
    """
    revisions = "".join(f"{one}\n" for one in (*tips, *(f"^{one}" for one in known)))
    # Few objects, soon repacked with all the others: looking for deltas is not worth the time.
    options = ("-q", "--revs", "--non-empty", "--window=0", "--threads=1")
    done = call(tree, "pack-objects", *options, str(_packs(tree) / "new"), stdin=revisions)
    return done.stdout.strip()


def _packs(tree: Guarded) -> Path:
    return tree.git_dir / "objects/pack"


@contextlib.contextmanager
def move_pack(name: str, tree: Guarded, git_dir: Path) -> Iterator[str]:
    """Move a pack that `pack` has written into the store of `git_dir`, kept from `git gc`.

    The block makes a ref reach what is in it: afterwards the mark goes.
    """
    store = git_dir / "objects/pack"
    keep, ours = store / f"pack-{name}.keep", False
    if name:
        store.mkdir(exist_ok=True)
        _drop_old_marks(store)
        with contextlib.suppress(FileExistsError), keep.open("x", encoding="ascii") as mark:
            ours = True
            mark.write(f"{_KEPT_BY} {os.getpid()}\n")
        _move(_packs(tree) / f"new-{name}", store / f"pack-{name}")
    try:
        yield name
    finally:
        if ours:
            keep.unlink(missing_ok=True)


def _move(source: Path, goal: Path) -> None:
    """Move a pack; its index comes last, for with that git sees it."""
    for kind in (".rev", ".pack", ".idx"):
        part, there = source.with_name(source.name + kind), goal.with_name(goal.name + kind)
        if not part.exists():
            continue
        try:
            part.rename(there)
        except OSError:  # another file system
            scratch = goal.with_name(f"tmp_{goal.name}{kind}")
            shutil.copyfile(part, scratch)
            shutil.copymode(part, scratch)
            scratch.replace(there)
            part.unlink()


def _drop_old_marks(store: Path) -> None:
    """Remove the marks that a killed process of ours has left: they would stay for good."""
    for keep in store.glob("pack-*.keep"):
        with contextlib.suppress(OSError):
            if time.time() - keep.stat().st_mtime > _OLD and keep.read_text().startswith(_KEPT_BY):
                keep.unlink()
