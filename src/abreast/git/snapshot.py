"""Snapshots: what a worktree holds right now, kept under a ref without touching its index.

The tree is built in a copy of the index. The copy keeps the original's time stamps, because git
tells from them which entries it must read again.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from abreast.git.call import call, git, split
from abreast.git.commit import anchor, commit_tree, tree_of
from abreast.git.refs import read_ref, swap_ref
from abreast.git.repository import Repository
from abreast.git.status import find_commit, require_own_git_dir

MAX_UNTRACKED = 50_000_000  # bytes; larger untracked files are build output or dumps, not work


@dataclass(frozen=True)
class Built:
    """A tree made from a worktree. `skipped` are (path, reason) of what is not in it."""

    tree: str
    skipped: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Snapshot:
    """A worktree's state, kept: `commit` is where the ref points, `tree` what was there."""

    commit: str
    tree: str
    skipped: tuple[tuple[str, str], ...] = ()


def snapshot(
    repo: Repository,
    worktree: Path,
    ref: str,
    message: str,
    *,
    max_untracked: int = MAX_UNTRACKED,
) -> Snapshot:
    """Make `ref` reach everything in `worktree`: its HEAD, and its tracked and untracked files.

    Earlier snapshots stay reachable. Nothing new is made when nothing has changed, and no commit
    when all is committed. Files git ignores and the inside of submodules are not in it.
    """
    built = build_tree(worktree, max_untracked=max_untracked)
    while True:
        head = find_commit(worktree, "HEAD")
        last = read_ref(repo, ref)
        if last and tree_of(repo, last) == built.tree and _reaches(repo, last, head):
            return Snapshot(last, built.tree, built.skipped)
        if head and tree_of(repo, head) == built.tree:
            return Snapshot(anchor(repo, ref, head, reason=message), built.tree, built.skipped)
        parents = [commit for commit in (head, last) if commit]
        commit = commit_tree(repo, built.tree, parents, message)
        if swap_ref(repo, ref, commit, last, reason=message):
            return Snapshot(commit, built.tree, built.skipped)


def _reaches(repo: Repository, commit: str, head: str | None) -> bool:
    query = ("merge-base", "--is-ancestor", head or commit, commit)
    return repo.call(*query, codes=(0, 1)).code == 0


def build_tree(
    worktree: Path,
    *,
    max_untracked: int = MAX_UNTRACKED,
    env: Mapping[str, str] | None = None,
) -> Built:
    """Return a tree of all that `git add -A` would stage in `worktree`, its index left alone.

    Left out and told: untracked files larger than `max_untracked` bytes or unreadable, and
    repositories made inside. The tree's objects are lost to `git prune` until a ref reaches them.
    """
    with _index_copy(worktree) as index:
        variables = {**(env or {}), "GIT_INDEX_FILE": str(index)}
        skipped = _stage_tracked(worktree, variables)
        listed = git(worktree, "ls-files", "-z", "--others", "--exclude-standard", env=variables)
        wanted = []
        for path in split(listed):
            reason = _unwanted(worktree / path, max_untracked)
            if reason:
                skipped.append((path, reason))
            else:
                wanted.append(path)
        _stage_untracked(worktree, wanted, variables)
        tree = git(worktree, "write-tree", env=variables).strip()
    return Built(tree, tuple(skipped))


@contextmanager
def _index_copy(worktree: Path) -> Iterator[Path]:
    folder = require_own_git_dir(worktree)
    with tempfile.TemporaryDirectory(prefix="abreast-index.", dir=folder) as scratch:
        index = Path(scratch, "index")
        if (folder / "index").exists():
            shutil.copy2(folder / "index", index)
        else:
            git(worktree, "read-tree", "HEAD", env={"GIT_INDEX_FILE": str(index)})
        yield index


# core.safecrlf=true makes `add` die of a file with mixed line ends.
_ANY_LINE_ENDS = ("core.safecrlf=false",)


def _stage_tracked(worktree: Path, env: Mapping[str, str]) -> list[tuple[str, str]]:
    add = ("add", "--update", "--ignore-errors")
    done = call(worktree, *add, config=_ANY_LINE_ENDS, env=env, codes=(0, 1))
    return [(".", done.stderr.strip())] if done.code else []


def _stage_untracked(worktree: Path, paths: list[str], env: Mapping[str, str]) -> None:
    if not paths:
        return
    # `--remove`: a file that has vanished since it was listed is no error.
    add = ("update-index", "--add", "--remove", "--replace", "-z", "--stdin")
    git(worktree, *add, config=_ANY_LINE_ENDS, env=env, stdin="\0".join([*paths, ""]))


def _unwanted(file: Path, max_bytes: int) -> str:
    if file.is_symlink():
        return ""
    if file.is_dir():
        return "a repository of its own"
    if not os.access(file, os.R_OK):
        return "unreadable" if file.exists() else ""
    size = file.stat().st_size
    return f"larger than {max_bytes / 1e6:g} MB ({size / 1e6:.0f} MB)" if size > max_bytes else ""
