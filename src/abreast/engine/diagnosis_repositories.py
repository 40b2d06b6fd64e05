"""Repositories as the doctor sees them: found without git, for it may not see a broken one."""

import os
from collections.abc import Iterator
from pathlib import Path

from abreast.doctor.housekeeping import State, Tree
from abreast.errors import AbreastError
from abreast.git.call import call
from abreast.git.repository import Repository
from abreast.git.worktree import list_worktrees

_LOCKS = ("index.lock", "HEAD.lock", "config.lock", "packed-refs.lock", "shallow.lock")


def checkout_of(folder: Path) -> tuple[Path, Path] | None:
    """Return the checkout around `folder` and what it shares with others; None when in none."""
    if not folder.is_absolute():
        return None
    for top in (folder, *folder.parents):
        git = top / ".git"
        # Not the methods of Path: they raise where we may not look.
        if os.path.isdir(git):  # noqa: PTH112
            return top, git
        if os.path.isfile(git):  # noqa: PTH113
            own = _pointer(git, "gitdir: ")
            if own is None:
                return None
            shared = _pointer(own / "commondir", "")
            return top, shared or own
    return None


def state_of(common_dir: Path) -> State:
    """Return how a repository stands; what git cannot tell of a broken one is left out."""
    settings = _config(common_dir)
    # A submodule's configuration rightly names its folder; a repository that is bare by intent has
    # no index.
    main = common_dir.name == ".git" and (common_dir / "index").exists()
    try:
        trees = list_worktrees(Repository(common_dir, common_dir, None))[1:]
    except AbreastError:
        trees = ()
    return State(
        common_dir=str(common_dir),
        checkout=str(common_dir.parent) if main else "",
        bare=settings.get("core.bare") == "true",
        worktree=settings.get("core.worktree", ""),
        trees=tuple(Tree(str(one.path), os.path.lexists(one.path), one.locked) for one in trees),
        locks=tuple(_locks(common_dir)),
    )


def _config(common_dir: Path) -> dict[str, str]:
    """Return the two settings of the shared file alone, whatever other files say."""
    asked = ("config", "--file", str(common_dir / "config"), "--get-regexp")
    done = call(Path("/"), *asked, r"^core\.(bare|worktree)$", codes=range(256), climb=True)
    pairs = (line.partition(" ") for line in done.stdout.splitlines())
    return {name.lower(): value for name, _, value in pairs}


def _locks(common_dir: Path) -> Iterator[tuple[str, float]]:
    trees = common_dir / "worktrees"
    folders = [common_dir, *(trees.iterdir() if trees.is_dir() else ())]
    for lock in (folder / name for folder in folders for name in _LOCKS):
        try:
            yield str(lock), lock.stat().st_mtime
        except OSError:
            continue


def _pointer(file: Path, word: str) -> Path | None:
    """Return the folder that a one-line file names, relative to where it lies."""
    try:
        line = file.read_text(encoding="utf-8", errors="surrogateescape").strip()
    except OSError:
        return None
    return Path(os.path.normpath(file.parent / line.removeprefix(word)))
