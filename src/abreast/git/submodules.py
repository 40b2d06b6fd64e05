"""Submodules that have been checked out in a worktree: what only that worktree holds of them.

Their repositories lie in the worktree's own folder (`.git/worktrees/X/modules`) and go with it. A
commit that was made there is in no other place, and the superproject records no more than its id.
So what an agent did in a submodule is kept in the store that all worktrees share
(`.git/modules`), under a ref; where there is none, nobody may remove the worktree.

No git runs in such a repository: it is looked at like the worktree, through a git directory of
ours.
"""

import contextlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from abreast.errors import GitError
from abreast.git.call import call, git, split
from abreast.git.guard import guard_inner
from abreast.git.guarded import Guarded
from abreast.git.publish import move_pack, pack
from abreast.git.repository import Repository
from abreast.git.snapshot import build_tree
from abreast.git.staging import LINK
from abreast.git.status import find_commit, own_git_dir


@lru_cache(maxsize=64)
def links_in(repo: Repository, commit: str) -> Mapping[str, str]:
    """Return the submodules of a commit: path and the commit that is recorded for it."""
    return _links(repo.call("ls-tree", "-r", "-z", "--full-tree", commit).stdout)


def _links(listed: str) -> dict[str, str]:
    entries = (row.partition("\t") for row in split(listed) if row.startswith(LINK))
    return {path: head.split()[2] for head, _, path in entries}


@dataclass(frozen=True)
class Submodule:
    """A submodule with work of its own: `head` is where it is, `why` what keeps it from being safe.

    `kept` names the store and the ref that hold its commit; empty where none does.
    """

    path: str
    head: str
    kept: str = ""
    why: str = ""


def keep_submodules(repo: Repository, tree: Guarded, base: str, ref: str) -> tuple[Submodule, ...]:
    """Keep what was committed in submodules of a worktree, and return those that have work.

    `base` is the commit whose submodules count; commits are kept under `ref` in the store that
    the repository's worktrees share. Work that is not committed, or cannot be kept, is told.
    """
    return _look_at(repo, tree, links_in(repo, base), repo.common_dir, ref)


def _look_at(
    repo: Repository, tree: Guarded, links: Mapping[str, str], shared: Path, ref: str
) -> tuple[Submodule, ...]:
    """Look at submodules; `shared` is the git directory whose `modules` all worktrees share."""
    found = (_look(repo, tree, link, shared, ref) for link in sorted(links.items()))
    return tuple(one for one in found if one is not None)


def _look(
    repo: Repository, tree: Guarded, link: tuple[str, str], shared: Path, ref: str
) -> Submodule | None:
    path, recorded = link
    top = tree.path / path
    admin = own_git_dir(top) if top.is_dir() and not top.is_symlink() else None
    if admin is None or not admin.is_dir():
        return _loose_files(top, path)
    with _opened(tree, top, admin) as inner:
        head = find_commit(inner, "HEAD")
        if head is None:
            return Submodule(path, "", why="it is a repository of its own, without a commit")
        modules = tree.admin / "modules"
        below = admin.is_relative_to(modules)
        store = shared / "modules" / os.path.relpath(admin, modules) if below else None
        try:
            why = _unsafe(repo, inner, head, store or shared, ref)
        except GitError as error:
            why = f"it cannot be read: {error.stderr.strip()[-200:]}"
        if head == recorded:
            return Submodule(path, head, why=why) if why else None
        kept = _keep(store, inner, head, recorded, ref) if store else ""
        lost = "" if kept else f"its commit {head[:12]} is in no other repository"
        return Submodule(path, head, kept, why or lost)


def _unsafe(repo: Repository, inner: Guarded, head: str, store: Path, ref: str) -> str:
    """Return what in a submodule's files is not in its commit, or in its own submodules; or ""."""
    built = build_tree(inner)
    if built.skipped or built.tree != git(inner, "rev-parse", f"{head}^{{tree}}").strip():
        return "it has changes that are not committed in it"
    links = _links(git(inner, "ls-tree", "-r", "-z", head))
    deeper = _look_at(repo, inner, links, store, ref) if links else ()
    return next((f"in its submodule {one.path}, {one.why}" for one in deeper if one.why), "")


def _loose_files(top: Path, path: str) -> Submodule | None:
    """Return a submodule that is not checked out, when files have been written into its folder."""
    if top.is_symlink() or not top.is_dir() or not any(top.iterdir()):
        return None
    return Submodule(path, "", why="files were written into a submodule that is not checked out")


@contextlib.contextmanager
def _opened(tree: Guarded, top: Path, admin: Path) -> Iterator[Guarded]:
    with tempfile.TemporaryDirectory(prefix="submodule.", dir=tree.git_dir) as folder:
        yield guard_inner(tree, top, admin, Path(folder, "git"))


def _keep(store: Path, inner: Guarded, head: str, recorded: str, ref: str) -> str:
    """Bring a submodule's commit into the shared store; return where it is, "" when it cannot."""
    if not (store / "objects").is_dir():
        return ""
    there = Repository(store, store, None, guard=inner.git_dir)
    objects = {"GIT_OBJECT_DIRECTORY": str(store / "objects")}
    has = there.call("cat-file", "-e", f"{recorded}^{{commit}}", env=objects, codes=range(256))
    known = [recorded] if has.code == 0 else []
    with move_pack(pack(inner, [head], known), inner, store):
        moved = call(
            store,
            "update-ref",
            "--no-deref",
            ref,
            head,
            git_dir=store,
            config=_NOTHING_RUNS,
            codes=range(256),
        )
        exclude = [f"^{one}" for one in known]
        whole = there.call(
            "rev-list", "--objects", "--quiet", head, *exclude, env=objects, codes=range(256)
        )
    return f"{ref} of {store}" if moved.code == whole.code == 0 else ""


_NOTHING_RUNS = (f"core.hooksPath={os.devnull}", "core.fsmonitor=false")
