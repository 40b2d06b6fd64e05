"""Snapshots: what a worktree holds right now, kept under a ref without touching its index.

The tree is built in a copy of the index from before the agent began (`Guarded.start`), so that no
mark that an agent sets there (assume-unchanged, skip-worktree) hides a file. Which files are
tracked, though, is the agent's to say: what it added by force, or took out, counts.

Repositories of submodules that were checked out in a worktree lie in its own folder
(`.git/worktrees/X/modules`) and go with it. A commit made there is in no other place, and the
superproject records only its id. So it is kept, under a ref, in the store that all worktrees share
(`.git/modules`); where there is none, nobody may remove the worktree. No git runs in such a
repository: it is looked at like the worktree, through a git directory of ours.
"""

import contextlib
import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from abreast.errors import GitError
from abreast.git.call import call, git, split
from abreast.git.commit import anchor, commit_tree, tree_of
from abreast.git.differing import LINK, differing, forget, replaced, sorted_out, stage, start_index
from abreast.git.guard import guard_inner
from abreast.git.guarded import Guarded
from abreast.git.inner_store import keep_in_store
from abreast.git.publish import pack_made, published
from abreast.git.repository import Repository, is_ancestor, read_ref, swap_ref
from abreast.git.status import find_commit, own_git_dir
from abreast.process.scratch import scratch_folder

MAX_UNTRACKED = 50_000_000  # bytes; larger untracked files are build output or dumps, not work


@dataclass(frozen=True)
class Built:
    """A tree made from a worktree. `skipped` are (path, reason) of what is not in it.

    `unmerged` are the paths that the agent's index has in conflict.
    """

    tree: str
    skipped: tuple[tuple[str, str], ...] = ()
    unmerged: tuple[str, ...] = ()


@dataclass(frozen=True)
class KeptTree:
    """A worktree's state, kept: `commit` is where the ref points, `tree` what was there."""

    commit: str
    tree: str
    skipped: tuple[tuple[str, str], ...] = ()


def snapshot(
    repo: Repository,
    tree: Guarded,
    ref: str,
    message: str,
    *,
    max_untracked: int = MAX_UNTRACKED,
) -> KeptTree:
    """Make `ref` reach everything in a worktree: its HEAD, and its tracked and untracked files.

    Earlier snapshots stay reachable. Nothing new is made when nothing has changed, and no commit
    when all is committed. Files git ignores and the inside of submodules are not in it.
    """
    while True:
        built = build_tree(tree, max_untracked=max_untracked)
        head = find_commit(tree, "HEAD")
        old = read_ref(repo, ref)
        last_tree = _tree_or_none(repo, old)
        last = old if last_tree else None
        if last and last_tree == built.tree and is_ancestor(repo, head or last, last):
            return KeptTree(last, built.tree, built.skipped)
        if head and tree_of(repo, head) == built.tree:
            return KeptTree(anchor(repo, ref, head, reason=message), built.tree, built.skipped)
        parents = [commit for commit in (head, last) if commit]

        def make(again: bool, built: str = built.tree, parents: list[str] = parents) -> str:
            found = build_tree(tree, max_untracked=max_untracked).tree if again else built
            return commit_tree(repo, found, parents, message, env=tree.objects)

        made = pack_made(tree, make, parents)
        with published(repo, tree, made, known=parents) as commit:
            moved = swap_ref(repo, ref, commit, old, reason=message)
        if moved:
            return KeptTree(commit, built.tree, built.skipped)


def _tree_or_none(repo: Repository, commit: str | None) -> str | None:
    """Return a commit's tree; None where a ref of ours was made to name something else."""
    try:
        return tree_of(repo, commit) if commit else None
    except GitError:
        return None


def build_tree(
    tree: Guarded,
    *,
    max_untracked: int = MAX_UNTRACKED,
    env: Mapping[str, str] | None = None,
) -> Built:
    """Return a tree of all that `git add -A` would stage in a worktree, its index left alone.

    Left out and told: untracked files larger than `max_untracked` bytes, unreadable ones, names
    that git refuses, and repositories made inside. The tree's objects are in the worktree's own
    object folder (or where `env` says); `published` brings them into the repository's.
    """
    with _index(tree, env or {}) as variables:
        theirs = _follow_agents_index(tree, variables)
        found = differing(tree, Path(variables["GIT_INDEX_FILE"]))
        others = dict.fromkeys([*found.untracked, *theirs.added])
        tracked, skipped = replaced(tree, found.tracked, theirs.sparse, variables)
        wanted, refused = sorted_out(tree.path, tracked, others, max_untracked)
        skipped += [*refused, *stage(tree, wanted, variables)]
        written = git(tree, "write-tree", env=variables).strip()
    return Built(written, tuple(skipped), theirs.unmerged)


@contextmanager
def _index(tree: Guarded, env: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Yield variables under which git works in a copy of the index from before the agent began."""
    with scratch_folder(tree.git_dir / "build") as scratch:
        index = scratch / "index"
        variables = {**env, "GIT_INDEX_FILE": str(index)}
        shutil.copy2(start_index(tree), index)
        yield variables


@dataclass(frozen=True)
class _Theirs:
    """What the agent's index says: paths that it added, that are in conflict, and that a sparse
    checkout leaves out.
    """

    added: tuple[str, ...] = ()
    unmerged: tuple[str, ...] = ()
    sparse: frozenset[str] = frozenset()


def _follow_agents_index(tree: Guarded, env: Mapping[str, str]) -> _Theirs:
    """Take from our index what the agent took out of its own; return what else it says.

    A submodule that it added lies there as a repository of its own.
    """
    if tree.index_untouched() or not (tree.admin / "index").is_file():
        return _Theirs()
    listed = call(tree, *_ENTRIES, codes=(0, 128))
    if listed.code:
        return _Theirs()  # an index that git cannot read says nothing
    known = start_index(tree).stat()
    same = _digest(listed.stdout) == _start_entries(tree, (known.st_size, known.st_mtime_ns))
    if same and "S " not in listed.stdout:
        return _Theirs()  # git has only noted the times of files anew, as `git status` does
    tagged = [row.split("\t", 1) for row in split(listed.stdout)]
    # Who writes an index by hand can name what lies outside.
    theirs = [(head[2:], path) for head, path in tagged if not _leads_out(path)]
    sparse = frozenset(path for head, path in tagged if head[0] == "S")
    ours = set(split(git(tree, "ls-files", "-z", env=env)))
    names = {path for _, path in theirs}
    forget(tree, sorted(ours - names), env)
    added = [path for mode, path in theirs if path not in ours and not mode.startswith(LINK)]
    links = [path for mode, path in theirs if path not in ours and mode.startswith(LINK)]
    present = [path for path in added if os.path.lexists(tree.path / path)]
    unmerged = dict.fromkeys(path for mode, path in theirs if not mode.endswith(" 0"))
    return _Theirs((*present, *(f"{path}/" for path in links)), tuple(unmerged), sparse)


_ENTRIES = ("ls-files", "-z", "-t", "--stage")


@lru_cache(maxsize=256)
def _start_entries(tree: Guarded, stamp: tuple[int, int]) -> bytes:  # noqa: ARG001 - part of the key
    """Return what tells the entries of the index from before the agent began from others."""
    return _digest(git(tree, *_ENTRIES, env={"GIT_INDEX_FILE": str(tree.start)}))


def _digest(text: str) -> bytes:
    return hashlib.sha256(os.fsencode(text)).digest()


def _leads_out(path: str) -> bool:
    return ".." in path and ".." in Path(path).parts


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
        kept = keep_in_store(store, inner, head, [recorded], ref) if store else ""
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
    with scratch_folder(tree.git_dir / "submodule") as folder:
        yield guard_inner(tree, top, admin, folder / "git")
