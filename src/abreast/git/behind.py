"""What is left of a worktree that somebody has removed: git's folder for it, and our guard.

They hold commits that are nowhere else: the reflog names those that were amended, `modules` has the
repositories of submodules, and the guard what was committed in a sandbox. Both folders go when the
worktree is made anew, so what they hold is kept first. The files that were not committed are gone.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from abreast.errors import GitError
from abreast.git.apart import apart_admin, rejoin, take_in
from abreast.git.aside import move_aside
from abreast.git.guard import guard_inner, guard_worktree
from abreast.git.guarded import Guarded
from abreast.git.inner_store import beside, keep_in_store
from abreast.git.reflog import commits_left, is_reftable
from abreast.git.repository import Repository, look_up
from abreast.git.snapshot import links_in
from abreast.git.status import find_commit
from abreast.process.scratch import scratch_folder

_MODULES = "modules"


def left_behind(repo: Repository, path: Path) -> Guarded | None:
    """Return what is left of the worktree that was at `path`, to be called; None: nothing is.

    There are no files in it.
    """
    try:
        tree = guard_worktree(repo, path)
    except GitError:
        return None
    return replace(tree, path=tree.git_dir)


def take_from(repo: Repository, tree: Guarded) -> Path:
    """Bring what was committed in a sandbox into the repository; return where its reflog lies."""
    if tree.admin.is_dir():
        rejoin(repo, tree)
        return tree.admin
    copy = apart_admin(tree)
    if copy.is_dir():
        take_in(repo, replace(tree, admin=copy))
    return copy


def keep_modules(
    repo: Repository, tree: Guarded, base: str, ref: str, aside: Path
) -> tuple[str, ...]:
    """Keep what was committed in the worktree's submodules, as `keep_submodules` does.

    A repository of which no other has a copy is moved to the folder `aside`, whole. Return what a
    person should know.
    """
    notes = list[str]()
    found = list(_repositories(tree.admin / _MODULES))
    recorded = tuple(links_in(repo, base).values()) if found else ()
    for admin in found:
        name = str(admin.relative_to(tree.admin / _MODULES))
        try:
            kept = _keep(repo, tree, admin, recorded, ref)
        except GitError:  # it may be damaged: whoever wants it can still look into it
            kept = None
        if kept is None:
            move_aside(tree.admin / _MODULES, [name], aside)
            notes.append(f"the repository of submodule {name}: moved to {aside / name}")
        notes += [f"submodule {name}, at {tip[:12]}: kept as {where}" for tip, where in kept or ()]
    return tuple(notes)


def _repositories(folder: Path) -> Iterator[Path]:
    """Yield the repositories below a folder `modules`, those of inner submodules first."""
    for current, folders, files in os.walk(folder):
        if "HEAD" in files and "objects" in folders:
            folders.clear()
            yield from _repositories(Path(current, _MODULES))
            yield Path(current)


def _keep(
    repo: Repository, tree: Guarded, admin: Path, recorded: Sequence[str], ref: str
) -> list[tuple[str, str]] | None:
    """Return the commits that were kept, each with where; None when they cannot be."""
    store = repo.common_dir / _MODULES / admin.relative_to(tree.admin / _MODULES)
    with scratch_folder(tree.git_dir / "submodule") as scratch:
        inner = guard_inner(tree, scratch, admin, scratch / "git")
        own = Repository(admin, admin, None, guard=inner.git_dir)
        if is_reftable(own):
            return None
        known = [one for one in look_up(own, *recorded) if one] if recorded else []
        head, kept = find_commit(inner, "HEAD"), list[tuple[str, str]]()
        tips = commits_left(own, admin, "", known=known)
        for tip in tips:
            name = ref if tip == head or not tips[1:] else beside(ref, tip)
            where = keep_in_store(store, inner, tip, known, name)
            if not where:
                return None
            kept.append((tip, where))
        return kept
