"""Objects into the repository's store: as one pack that no `git gc` takes away, then the ref.

A `git gc --prune=now` of the user's removes what no ref reaches, also what was written a moment
ago; and what was found in the store need not stay there. So objects are written to a worktree's own
folder first, and packed there with all that the repository cannot be sure to keep. The pack comes
into the store marked to be kept; the mark goes when the ref is there and all it reaches is.
"""

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from abreast.errors import GitError
from abreast.git.call import call
from abreast.git.guarded import Guarded
from abreast.git.packs import add_pack
from abreast.git.repository import Repository
from abreast.process import clock

_KEPT_BY = "abreast"
_OLD = 3600.0  # seconds; a mark is needed for milliseconds, so an older one was left by a killed us


def pack_made(tree: Guarded, make: Callable[[bool], str], known: Sequence[str]) -> tuple[str, str]:
    """Return the commit that `make` returns, and the name of a pack with all it needs.

    An object that was found in the repository's store may have been taken from there since. Then
    `make` is called once more with True: it has to build the tree again, from the files. Raises
    `GitError` when that does not help.
    """
    commit = make(False)
    try:
        return commit, pack(tree, [commit], known)
    except GitError:
        commit = make(True)
        return commit, pack(tree, [commit], known)


def pack(tree: Guarded, tips: Sequence[str], known: Sequence[str]) -> str:
    """Write what `tips` reach and `known` do not to a pack in the worktree's folder; its name.

    "" when that is nothing. Raises `GitError` when an object is missing.
    """
    revisions = "".join(f"{one}\n" for one in (*tips, *(f"^{one}" for one in known)))
    # Few objects, soon repacked with all the others: looking for deltas is not worth the time.
    options = ("-q", "--revs", "--non-empty", "--window=0", "--threads=1")
    done = call(tree, "pack-objects", *options, str(_packs(tree) / "new"), stdin=revisions)
    return done.stdout.strip()


@contextlib.contextmanager
def published(
    repo: Repository, tree: Guarded, made: tuple[str, str], *, known: Sequence[str]
) -> Iterator[str]:
    """Bring a commit and its pack (see `pack_made`) into the store; yield the commit.

    The block makes a ref reach it. `known` are commits that refs reach already. Afterwards all that
    the commit reaches is shown to be there. Raises `GitError` when it is not.
    """
    commit, name = made
    with move_pack(name, tree, repo.common_dir):
        yield commit
        if name:
            exclude = [f"^{one}" for one in known]
            repo.call("rev-list", "--objects", "--quiet", commit, *exclude)
    if name:
        add_pack(repo, name)


@contextlib.contextmanager
def move_pack(name: str, tree: Guarded, git_dir: Path) -> Iterator[None]:
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
        yield
    finally:
        if ours:
            keep.unlink(missing_ok=True)


def _packs(tree: Guarded) -> Path:
    return tree.git_dir / "objects/pack"


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
            if clock.wall() - keep.stat().st_mtime > _OLD and keep.read_text().startswith(_KEPT_BY):
                keep.unlink()
