"""Repositories as the doctor sees them: found without git, for it may not see a broken one."""

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from abreast.doctor.housekeeping import State, Tree
from abreast.errors import AbreastError, NotFoundError
from abreast.git.call import call
from abreast.git.repository import Repository
from abreast.git.worktree import Worktree, list_worktrees
from abreast.process.listing import entries, files_below
from abreast.process.working import working_folders

_LOCKS = ("index.lock", "HEAD.lock", "config.lock", "packed-refs.lock", "shallow.lock")


def checkout_of(folder: Path) -> tuple[Path, Path] | None:
    """Return the checkout around `folder` and what it shares with others; None when in none.

    The latter as git names it, symbolic links resolved; the former as it is named here.
    """
    found = _around(folder) if folder.is_absolute() else None
    return (found[0], Path(os.path.realpath(found[1]))) if found else None


def _around(folder: Path) -> tuple[Path, Path] | None:
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
        if _is_bare(top):
            return top, top
    return None


def _is_bare(folder: Path) -> bool:
    """Return whether a folder is a repository without a checkout around it."""
    parts = ("HEAD", "objects", "refs", "config")
    return folder.name != ".git" and all(os.path.lexists(folder / part) for part in parts)


def require_checkout(folder: Path) -> None:
    """Raise NotFoundError when a folder that the user named lies in no repository."""
    if not os.path.isdir(folder) or checkout_of(folder.absolute()) is None:  # noqa: PTH112
        raise NotFoundError(
            f"{folder} is not in a git repository",
            hint="name a folder of one, or leave out --repo",
        )


def state_of(common_dir: Path) -> State:
    """Return how a repository stands; what git cannot tell of a broken one is left out."""
    # A submodule's configuration rightly names its folder; a repository that is bare by intent has
    # no index.
    main = common_dir.name == ".git" and os.path.lexists(common_dir / "index")
    failed = ""
    try:
        trees = list_worktrees(Repository(common_dir, common_dir, None))[1:]
    except (AbreastError, OSError) as error:
        trees, failed = (), f"{common_dir}: its worktrees cannot be listed: {error}"
    locks = list(_locks(common_dir))
    if locks and _at_work([common_dir, common_dir.parent, *(one.path for one in trees)]):
        locks = []  # while `git commit` waits for an editor or a hook, its lock is no leaving
    worktree = _setting(common_dir, "core.worktree")
    if worktree and os.path.realpath(common_dir / worktree) == os.path.realpath(common_dir.parent):
        worktree = ""
    return State(
        common_dir=str(common_dir),
        checkout=str(common_dir.parent) if main else "",
        bare=_setting(common_dir, "core.bare", "--type=bool") == "true",
        worktree=worktree,
        trees=tuple(_tree(one) for one in trees),
        locks=tuple(locks),
        failed=failed,
    )


def _tree(found: Worktree) -> Tree:
    modules = os.path.lexists(found.path / ".gitmodules")
    return Tree(str(found.path), os.path.lexists(found.path), found.locked, modules)


def _setting(common_dir: Path, name: str, *options: str) -> str:
    """Return a setting of the shared file alone, whatever other files say; "" without it."""
    asked = ("config", "--file", str(common_dir / "config"), *options, "--get", name)
    return call(Path("/"), *asked, codes=range(256), climb=True).stdout.strip()


def _locks(common_dir: Path) -> Iterator[tuple[str, float]]:
    for folder in (common_dir, *entries(common_dir / "worktrees")):
        for name in _LOCKS:
            yield from _lock(folder / name)
    for lock in files_below(common_dir / "refs"):
        if lock.name.endswith(".lock"):
            yield from _lock(lock)


def _lock(lock: Path) -> Iterator[tuple[str, float]]:
    with contextlib.suppress(OSError):
        yield str(lock), lock.stat().st_mtime


def _at_work(folders: Iterable[Path]) -> bool:
    """Return whether some git is at work in one of the folders, or below it."""
    tops = [Path(os.path.realpath(one)) for one in folders]
    cwds = working_folders("git", "git.exe")
    return any(cwd.is_relative_to(top) for cwd in cwds for top in tops)


def _pointer(file: Path, word: str) -> Path | None:
    """Return the folder that a one-line file names, relative to where it lies."""
    try:
        line = file.read_text(encoding="utf-8", errors="surrogateescape").strip()
    except OSError:
        return None
    if not line.startswith(word):
        return None
    return Path(os.path.normpath(file.parent / line.removeprefix(word)))
